/**
 * Enumerations as they stand in rows: the index in a list is the number that is stored. Only ever append.
 */
import type { Route } from '../../domain/candidate.ts';
import type { CostBasis, Outcome } from '../../domain/decision.ts';
import type { Draw } from '../../domain/verdict.ts';

/** `decisions.route`. */
export const ROUTES = ['chat', 'responses', 'embeddings'] as const satisfies readonly Route[];

/** `decisions.draws`. */
export const DRAWS = ['none', 'included', 'credit'] as const satisfies readonly Draw[];

/** `settlements.outcome`. */
export const OUTCOMES = [
  'completed',
  'upstream_error',
  'not_sent',
  'client_aborted',
  'upstream_interrupted',
  'upstream_timeout',
  'cut_sentry',
  'cut_revoked',
  'cut_shutdown',
  'unknown',
] as const satisfies readonly Outcome[];

/** `settlements.basis`. */
export const BASES = ['reported', 'estimated', 'held', 'none'] as const satisfies readonly CostBasis[];

/** Bases of costs that a provider did not report. */
export const UNSURE = ['estimated', 'held'] as const satisfies readonly CostBasis[];

/** The number that is stored for `value`. Throws a RangeError for a value that has none: it must never reach a row. */
export function codeOf<Value extends string>(list: readonly Value[], value: Value): number {
  const code = list.indexOf(value);
  if (code < 0) throw new RangeError(`no code for ${value}`);
  return code;
}

/** The value behind a stored number. Throws a RangeError for a number that this version does not know. */
export function valueOf<Value extends string>(list: readonly Value[], code: number): Value {
  const value = list[code];
  if (value === undefined) throw new RangeError(`no value for code ${code}`);
  return value;
}
