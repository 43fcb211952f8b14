import type { Clock } from '../clock.ts';
import type { Decision } from '../domain/decision.ts';
import type { Allowed } from '../domain/verdict.ts';
import type { LedgerUnavailable } from './ledger.ts';
import type { ItemOutcome, QueueItem } from './sqlite/commit-queue.ts';
import type { Row } from './sqlite/rows.ts';

/** A decision to allow. */
export type AllowDecision = Decision & { readonly verdict: Allowed };

/** Who is told what became of an admission. */
export interface AdmissionOwner {
  admitted(admission: Admission, outcome: ItemOutcome): void;
}

/** An allow on its way to the disk, and the caller that waits for it. */
export class Admission implements QueueItem {
  readonly kept = false;
  readonly urgent = true;
  /** True when its caller has been told 503. */
  expired = false;
  cancelled = false;
  readonly #waiting = Promise.withResolvers<Decision>();

  constructor(
    readonly decision: AllowDecision,
    readonly write: Row,
    /** When it began to wait, monotonic milliseconds. */
    readonly sinceMs: number,
    readonly owner: AdmissionOwner,
  ) {}

  get seq(): number {
    return this.decision.seq;
  }

  get atMs(): number {
    return this.decision.atMs;
  }

  get promise(): Promise<Decision> {
    return this.#waiting.promise;
  }

  done(outcome: ItemOutcome): void {
    this.owner.admitted(this, outcome);
  }

  resolve(): void {
    this.#waiting.resolve(this.decision);
  }

  /** Without effect when the caller has its answer. */
  reject(reason: LedgerUnavailable): void {
    this.#waiting.reject(reason);
  }
}

/** A timer that comes this late says that this thread was busy, not that the writer is slow. */
const LATE_MS = 50;

/** So many more deadlines a caller waits while the writer goes on answering: a burst on a busy machine is no outage. */
const BUSY_FACTOR = 8;

/** Who waits for a commit, oldest first, and the one timer that watches the deadline. */
export class Waiters {
  /** True from a missed deadline until the writer answers. */
  stalled = false;
  readonly #waiting = new Set<Admission>();
  #timer: Timer | null = null;
  #progressMs = Number.NEGATIVE_INFINITY;

  constructor(
    readonly deadlineMs: number,
    readonly clock: Clock,
    readonly onExpired: (admission: Admission) => void,
  ) {}

  /** How many are waiting, those included whose caller has given up. */
  get size(): number {
    return this.#waiting.size;
  }

  add(admission: Admission): void {
    this.#waiting.add(admission);
    if (!this.#timer) this.#arm(this.deadlineMs);
  }

  remove(admission: Admission): void {
    this.#waiting.delete(admission);
  }

  /** The writer has answered: it is at work, however long its queue. */
  progressed(): void {
    this.stalled = false;
    this.#progressMs = this.clock.monotonicMs();
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #arm(delayMs: number): void {
    const dueMs = this.clock.monotonicMs() + delayMs;
    this.#timer = setTimeout(() => this.#check(dueMs), delayMs);
  }

  /** A writer that is at work is waited for a little longer than one that is silent. */
  #dueMs({ sinceMs }: Admission): number {
    const patientMs = Math.min(Math.max(sinceMs, this.#progressMs), sinceMs + BUSY_FACTOR * this.deadlineMs);
    return patientMs + this.deadlineMs;
  }

  #check(dueMs: number): void {
    this.#timer = null;
    const nowMs = this.clock.monotonicMs();
    // The writer's answer may be waiting behind this very timer.
    if (nowMs - dueMs > LATE_MS) return this.#arm(1);
    for (const admission of this.#waiting) {
      if (admission.expired) continue;
      const leftMs = this.#dueMs(admission) - nowMs;
      if (leftMs > 0) return this.#arm(Math.ceil(leftMs));
      this.onExpired(admission);
    }
  }
}
