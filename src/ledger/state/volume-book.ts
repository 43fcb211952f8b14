import type { Volume } from '../../domain/state.ts';
import type { Draw } from '../../domain/verdict.ts';
import { periodEndMs, periodStartMs } from './periods.ts';

/** Requests and credits of one workspace. A request in flight counts in every month; a settled one where it settled. */
export class VolumeBook {
  #monthStartMs = 0;
  #monthEndMs = 0;
  #settledRequests = 0;
  #openRequests = 0;
  #openCredits = 0;
  #drawnCredits = 0;

  constructor(private grantedCredits: number) {}

  /** Adds credits, or takes them back with a count below 0. */
  grant(credits: number): void {
    this.grantedCredits += credits;
  }

  open(draws: Draw): void {
    if (draws === 'credit') this.#openCredits++;
    else this.#openRequests++;
  }

  /** Ends what `open` began. Without `counts` nothing was used. */
  close(draws: Draw, counts: boolean, atMs: number): void {
    this.#turn(atMs);
    if (draws === 'credit') {
      this.#openCredits--;
      if (counts) this.#drawnCredits++;
    } else {
      this.#openRequests--;
      if (counts) this.#settledRequests++;
    }
  }

  /** Start-up: what the ledger counted. Months other than the newest one only matter for the credits that they drew. */
  restore(monthStartMs: number, settledRequests: number, drawnCredits: number): void {
    this.#turn(monthStartMs);
    if (monthStartMs === this.#monthStartMs) this.#settledRequests += settledRequests;
    this.#drawnCredits += drawnCredits;
  }

  read(nowMs: number): Volume {
    this.#turn(nowMs);
    return {
      usedRequests: this.#settledRequests + this.#openRequests,
      creditsLeft: this.grantedCredits - this.#drawnCredits - this.#openCredits,
    };
  }

  #turn(nowMs: number): void {
    if (nowMs < this.#monthEndMs) return;
    this.#monthStartMs = periodStartMs('month', nowMs);
    this.#monthEndMs = periodEndMs('month', nowMs);
    this.#settledRequests = 0;
  }
}
