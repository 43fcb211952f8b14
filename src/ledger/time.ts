/** A forward jump of the wall clock past the monotonic one that nobody believes without an operator, milliseconds. */
const BELIEVED_JUMP_MS = 5 * 60_000;

/**
 * Ledger time: milliseconds since 1970 that never go back. A wall clock that jumps back is waited for.
 * One that jumps far forward is not followed until `confirm`: time then runs on by the monotonic clock and admission stops,
 * so that no period opens before its time.
 */
export class LedgerTime {
  #lastMs: number;
  #lastMonotonicMs = 0;
  /** Wall minus monotonic time when the wall clock was last believed. */
  #offsetMs: number | null = null;
  #confirmed = true;
  #sleptMs = 0;

  /** `lastMs` is the newest time in the ledger, 0 for an empty one: a restart must not go behind it. */
  constructor(lastMs = 0) {
    this.#lastMs = lastMs;
  }

  /** The time of now. Both clocks in milliseconds; the monotonic one may count from any point. */
  tick(wallMs: number, monotonicMs: number): number {
    const wall = Math.floor(wallMs);
    if (this.#offsetMs === null && this.#lastMs > 0 && this.#lastMonotonicMs === 0) this.#sleptMs = Math.max(0, wall - this.#lastMs);
    this.#offsetMs ??= wall - monotonicMs;
    const aheadMs = wall - monotonicMs - this.#offsetMs;
    this.#confirmed = aheadMs <= BELIEVED_JUMP_MS;
    const passedMs = Math.max(0, Math.floor(monotonicMs - this.#lastMonotonicMs));
    const reckoned = this.#confirmed ? wall : this.#lastMs + passedMs;
    if (reckoned > this.#lastMs) this.#lastMs = reckoned;
    this.#lastMonotonicMs = monotonicMs;
    return this.#lastMs;
  }

  /** How long before the first tick the newest time in the ledger was: a long sleep, or a clock that was wrong at the start. */
  get sleptMs(): number {
    return this.#sleptMs;
  }

  /** False after a jump forward that nobody has confirmed: nothing may be admitted. */
  get confirmed(): boolean {
    return this.#confirmed;
  }

  /** An operator says that the wall clock is right. */
  confirm(wallMs: number, monotonicMs: number): number {
    this.#offsetMs = null;
    return this.tick(wallMs, monotonicMs);
  }

  /** The time of the last tick. */
  get lastMs(): number {
    return this.#lastMs;
  }
}
