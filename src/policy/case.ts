import { belongingOf } from '../domain/belonging.ts';
import type { Candidate } from '../domain/candidate.ts';
import type { Belonging, StateView, Volume } from '../domain/state.ts';
import type { Draw } from '../domain/verdict.ts';
import type { CapacitySection, CompiledPolicy } from './compiled.ts';
import { planHold, type HoldPlan } from './hold.ts';

/** One request before its judges: what every control may look at. Costly parts are worked out when a control first asks. */
export class Case {
  readonly who: Belonging;
  #plan: HoldPlan | undefined;
  #volume: Volume | undefined;

  constructor(
    readonly policy: CompiledPolicy,
    readonly state: StateView,
    readonly candidate: Candidate,
    readonly nowMs: number,
  ) {
    this.who = belongingOf(candidate);
  }

  /** The hold, the cap, and the balances behind them. */
  get plan(): HoldPlan {
    return (this.#plan ??= planHold(this.policy, this.state, this.candidate, this.who, this.nowMs));
  }

  get volume(): Volume {
    return (this.#volume ??= this.state.volume(this.who, this.nowMs));
  }

  /** What the request draws on, or null when the plan has nothing left for it. */
  drawFrom(capacity: CapacitySection): Draw | null {
    if (capacity.includedRequests === null) return 'none';
    if (this.volume.usedRequests < capacity.includedRequests) return 'included';
    return capacity.plan !== 'free' && this.volume.creditsLeft > 0 ? 'credit' : null;
  }
}
