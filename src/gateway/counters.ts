import type { Reason } from '../domain/errors.ts';
import type { Settlement } from '../domain/decision.ts';

/** What the path counts for `/metrics`. Labels come from closed lists, so there is a fixed number of series. */
export class Counters {
  allowed = 0;
  readonly refused = new Map<Reason, number>();
  readonly settled = new Map<string, number>();
  overruns = 0;
  flaggedUsage = 0;
  costNanoUsd = 0;
  inputTokens = 0;
  outputTokens = 0;

  refusal(reason: Reason): void {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1);
  }

  settlement(settlement: Settlement): void {
    const { outcome, usage } = settlement;
    this.settled.set(outcome, (this.settled.get(outcome) ?? 0) + 1);
    this.costNanoUsd += settlement.costNanoUsd;
    if (settlement.overrun) this.overruns++;
    if (usage === null) return;
    if (usage.flags.length > 0) this.flaggedUsage++;
    this.inputTokens += usage.inputTokens;
    this.outputTokens += usage.outputTokens;
  }
}
