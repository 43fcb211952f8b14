import type { Attempt } from './attempt.ts';

/** Why we end an attempt ourselves. */
export type CutReason = 'cut_sentry' | 'cut_revoked' | 'cut_shutdown';

/** The grain of the time in which slow clients are measured, and after which an attempt lasts. */
const TICK_MS = 1_000;

/**
 * Every attempt between its admission and its settlement: what Sentry Mode, a revoked key, and a stop have to reach.
 * Counts ticks while there are any, so that one timer watches over all clients that take nothing, and a process that slept
 * cuts nobody for it.
 */
export class InFlight {
  /** Requests whose decision is being made and written: they take a place already. */
  deciding = 0;
  readonly #attempts = new Set<Attempt>();
  #waiters: (() => void)[] = [];
  #cuts = 0;
  #ticks = 0;
  #timer: ReturnType<typeof setInterval> | null = null;

  /** Grows with every cut: who waited across one must look again whether it may still go. */
  get cuts(): number {
    return this.#cuts;
  }

  get size(): number {
    return this.#attempts.size;
  }

  /** Steps of `TICK_MS` while something was in flight. */
  get ticks(): number {
    return this.#ticks;
  }

  add(attempt: Attempt): void {
    this.#attempts.add(attempt);
    if (this.#timer !== null) return;
    this.#timer = setInterval(() => this.tick(), TICK_MS);
    this.#timer.unref();
  }

  /** One step of time; the interval calls it. Stops the attempts whose client has taken nothing for too long, and tells the others that they last. */
  tick(): void {
    this.#ticks++;
    if (this.#attempts.size === 0) return this.#rest();
    for (const attempt of this.#attempts) {
      attempt.lasts();
      const { handedOverAtTick } = attempt;
      if (handedOverAtTick === null) continue;
      const waitedMs = (this.#ticks - handedOverAtTick - 1) * TICK_MS;
      if (waitedMs >= attempt.limits.slowClientMs) attempt.stop('client_aborted');
    }
  }

  remove(attempt: Attempt): void {
    if (!this.#attempts.delete(attempt) || this.#attempts.size > 0) return;
    for (const waiter of this.#waiters.splice(0)) waiter();
  }

  /** How many attempts match. */
  count(matches: (attempt: Attempt) => boolean): number {
    let count = 0;
    for (const attempt of this.#attempts) if (matches(attempt)) count++;
    return count;
  }

  /** Cuts every attempt that `matches`, and says how many those were. */
  cut(reason: CutReason, matches: (attempt: Attempt) => boolean): number {
    this.#cuts++;
    const hit = [...this.#attempts].filter(matches);
    for (const attempt of hit) attempt.cut(reason);
    return hit.length;
  }

  /** Resolves when no attempt is in flight. */
  async idle(): Promise<void> {
    if (this.#attempts.size === 0) return;
    await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  #rest(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
