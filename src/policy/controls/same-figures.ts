import type { Balance } from '../../domain/state.ts';
import type { Finding } from '../../domain/verdict.ts';
import type { Case } from '../case.ts';
import type { Section } from '../compiled.ts';

interface Last {
  readonly figures: string;
  readonly finding: Finding;
}

/** The last finding of each section. */
const last = new WeakMap<Section, Last>();

/**
 * What a section says of a balance, made anew only when a figure of it changed: in a flood none does, and a sentence full of amounts
 * costs more than judging.
 */
export function findingOf<S extends Section>(
  section: S,
  balance: Balance,
  request: Case,
  make: (section: S, balance: Balance, request: Case) => Finding,
): Finding {
  const { plan } = request;
  const figures = `${balance.settledNanoUsd} ${balance.heldNanoUsd} ${balance.resetsAtMs} ${plan.neededNanoUsd} ${plan.standings.roomWithoutHoldsNanoUsd}`;
  const known = last.get(section);
  if (known?.figures === figures) return known.finding;
  const finding = make(section, balance, request);
  last.set(section, { figures, finding });
  return finding;
}
