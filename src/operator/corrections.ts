import { Refusal } from '../domain/errors.ts';
import { formatUsd, parseUsd } from '../domain/money.ts';
import type { RecordedDecision } from '../ledger/store.ts';
import { oneDecision } from './decisions.ts';
import { auditOf, type Actor, type Office } from './office.ts';
import type { Scope } from './scope.ts';

/**
 * Says what a request cost in truth, by the provider's bill for instance. Its budgets are freed or taken by the difference, in the
 * periods that it settled in. An entry beside the settlement, never an edit; a later correction counts instead of an earlier one.
 */
export function correctDecision(
  office: Office,
  scope: Scope,
  actor: Actor,
  id: string,
  costUsd: string,
  note: string,
): Promise<RecordedDecision> {
  const costNanoUsd = parseUsd(costUsd);
  if (costNanoUsd === null)
    throw new Refusal('invalid_value', 'cost_usd must be an amount in USD of 0 or more, like "0.0125".', { param: 'cost_usd' });
  return office.turns.take(`correction ${id}`, async () => {
    const recorded = await oneDecision(office, scope, id);
    const before = recorded.correction?.costNanoUsd ?? recorded.settlement?.costNanoUsd ?? 0;
    const audit = auditOf(actor, 'decision.correct', id, { before_usd: formatUsd(before), after_usd: formatUsd(costNanoUsd), note });
    const correction = recorded.settlement && (await office.store.correct(recorded, costNanoUsd, note, actor.id, audit));
    if (!correction)
      throw new Refusal('conflict', 'Only what has settled can be corrected: denials cost nothing, and this one may be in flight.');
    return { ...recorded, correction };
  });
}
