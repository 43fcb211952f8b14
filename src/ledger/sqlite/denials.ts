import type { Candidate } from '../../domain/candidate.ts';
import type { Decision } from '../../domain/decision.ts';
import type { Denied } from '../../domain/verdict.ts';

const WINDOW_MS = 1_000;
const CAPACITY = 4_096;

interface Gathering {
  readonly decision: Decision;
  readonly dueMs: number;
  count: number;
}

/** What a gathering of denials needs. */
export interface DenialsOptions {
  /** The group that a sender counts in. */
  readonly senderOf: (candidate: Candidate) => string | null;
  /** Writes a row for `count` equal denials. */
  readonly write: (decision: Decision, count: number) => void;
}

/**
 * Gathers equal denials (same key, reason and sender within a second) into one row with a count,
 * so that a flood cannot fill the disk. Past its capacity it no longer tells senders apart.
 */
export class Denials {
  readonly #gatherings = new Map<string, Gathering>();
  /** How many gatherings each key has. */
  readonly #keys = new Map<number, number>();
  #timer: Timer | null = null;

  constructor(readonly options: DenialsOptions) {}

  /**
   * This denial with the seq and time of the row that it is counted in; `record` makes that when it is the first.
   * The row may name another model or figure: what is returned is the denial's own. `nowMs` is monotonic.
   */
  add(candidate: Candidate, policyVersion: number, verdict: Denied, nowMs: number, record: () => Decision): Decision {
    const counted = this.again(candidate, policyVersion, verdict, nowMs);
    if (counted !== null) return { seq: counted.seq, atMs: counted.atMs, candidate, policyVersion, verdict };
    const name = this.#name(candidate, policyVersion, verdict);
    const ended = this.#gatherings.get(name);
    if (ended) this.#end(name, ended);
    const decision = record();
    this.#gatherings.set(name, { decision, dueMs: nowMs + WINDOW_MS, count: 1 });
    this.#keys.set(candidate.keyId, (this.#keys.get(candidate.keyId) ?? 0) + 1);
    this.#timer ??= setTimeout(() => this.#endDue(nowMs + WINDOW_MS), WINDOW_MS);
    return decision;
  }

  /** Whether a request of this key was denied within the last second. */
  has(keyId: number): boolean {
    return this.#keys.has(keyId);
  }

  /** Counts a denial in the row of an equal one, and returns that; null when there is none. `nowMs` is monotonic. */
  again(candidate: Candidate, policyVersion: number, verdict: Denied, nowMs: number): Decision | null {
    const known = this.#gatherings.get(this.#name(candidate, policyVersion, verdict));
    if (known === undefined || nowMs >= known.dueMs) return null;
    known.count++;
    return known.decision;
  }

  /** Writes every row now. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    for (const [name, gathering] of this.#gatherings) this.#end(name, gathering);
  }

  #name(candidate: Candidate, policyVersion: number, verdict: Denied): string {
    const sender = this.#gatherings.size < CAPACITY ? this.options.senderOf(candidate) : '*';
    return `${candidate.keyId} ${verdict.finding.reason} ${policyVersion} ${sender}`;
  }

  /** Gatherings stand in the order of their beginning, so the due ones come first. */
  #endDue(nowMs: number): void {
    this.#timer = null;
    for (const [name, gathering] of this.#gatherings) {
      if (gathering.dueMs > nowMs) {
        this.#timer = setTimeout(() => this.#endDue(gathering.dueMs), gathering.dueMs - nowMs);
        return;
      }
      this.#end(name, gathering);
    }
  }

  #end(name: string, gathering: Gathering): void {
    this.#gatherings.delete(name);
    const { keyId } = gathering.decision.candidate;
    const left = this.#keys.get(keyId)! - 1;
    if (left === 0) this.#keys.delete(keyId);
    else this.#keys.set(keyId, left);
    this.options.write(gathering.decision, gathering.count);
  }
}
