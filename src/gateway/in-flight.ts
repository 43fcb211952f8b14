import type { Attempt } from './attempt.ts';

/** Why we end an attempt ourselves. */
export type CutReason = 'cut_sentry' | 'cut_revoked' | 'cut_shutdown';

/** Every attempt between its admission and its settlement: what Sentry Mode, a revoked key, and a stop have to reach. */
export class InFlight {
  readonly #attempts = new Set<Attempt>();
  #waiters: (() => void)[] = [];
  #cuts = 0;

  /** Grows with every cut: who waited across one must look again whether it may still go. */
  get cuts(): number {
    return this.#cuts;
  }

  get size(): number {
    return this.#attempts.size;
  }

  add(attempt: Attempt): void {
    this.#attempts.add(attempt);
  }

  remove(attempt: Attempt): void {
    if (!this.#attempts.delete(attempt) || this.#attempts.size > 0) return;
    for (const waiter of this.#waiters.splice(0)) waiter();
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
}
