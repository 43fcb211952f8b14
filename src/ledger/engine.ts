import type { Clock } from '../clock.ts';
import { belongingOf } from '../domain/belonging.ts';
import type { Candidate } from '../domain/candidate.ts';
import type { Decision, Settlement } from '../domain/decision.ts';
import type { Allowed, Denied } from '../domain/verdict.ts';
import { Admission, Waiters } from './admission.ts';
import { CommitMeter, type OnCommit } from './commit-meter.ts';
import { LedgerUnavailable, type Decide, type Ledger } from './ledger.ts';
import type { LedgerMemory } from './memory.ts';
import { CommitQueue, type CommandCall, type ItemOutcome, type QueueItem } from './sqlite/commit-queue.ts';
import { seqsOf, type CommandName, type CommandResult } from './sqlite/commands.ts';
import { Denials } from './sqlite/denials.ts';
import type { Checkpoint } from './sqlite/protocol.ts';
import { decisionRow, settlementRow, type Row } from './sqlite/rows.ts';
import type { Write, WriteReply } from './sqlite/writer-link.ts';
import { StoreConflict } from './store.ts';
import type { LedgerTime } from './time.ts';

/** What an engine is told when something happens that nobody waits for. */
export interface LedgerEvents {
  /** A row broke a constraint of the database and is not stored: a bug, to be logged and alarmed. */
  readonly onRefusedRow: (seq: number, message: string) => void;
  /** The ledger can no longer commit, or can again. */
  readonly onHealth: (available: boolean, why: string) => void;
  readonly onCommit?: OnCommit;
  /** The writer died; a successor is started. */
  readonly onWriterDeath?: () => void;
}

/** What an engine is made of. */
export interface EngineParts {
  readonly memory: LedgerMemory;
  readonly time: LedgerTime;
  readonly clock: Clock;
  readonly checkpoint: Checkpoint;
  readonly send: (write: Write) => void;
  readonly events: LedgerEvents;
  /** How long an admission waits for its commit before its caller is told 503. */
  readonly commitDeadlineMs: number;
  /** How many admissions may wait. */
  readonly maxWaiting: number;
}

/**
 * The ledger on one machine: judges and holds in memory in one synchronous step, and hands the rows to a writer in the same order.
 * Every seq is given here.
 */
export class LedgerEngine implements Ledger {
  readonly #queue: CommitQueue;
  readonly #denials: Denials;
  readonly #waiters: Waiters;
  readonly #meter: CommitMeter;
  #lastSeq: number;
  #open = true;
  #wasHealthy = true;

  constructor(readonly parts: EngineParts) {
    this.#lastSeq = parts.checkpoint.lastSeq;
    this.#meter = new CommitMeter(parts.events.onCommit);
    this.#queue = new CommitQueue({
      send: (write) => {
        this.#meter.sent(write, parts.clock.monotonicMs());
        parts.send(write);
      },
      lastBatch: parts.checkpoint.batch,
      onRefused: (item, message) => parts.events.onRefusedRow(item.seq, message),
    });
    this.#waiters = new Waiters(parts.commitDeadlineMs, parts.clock, (admission) => this.#expire(admission));
    this.#denials = new Denials({
      senderOf: (candidate) => belongingOf(candidate).sender,
      write: (decision, count) => this.#push(new KeptRow(decision.seq, decision.atMs, decisionRow(decision, count))),
    });
  }

  get available(): boolean {
    return this.#open && this.#queue.healthy && !this.#waiters.stalled;
  }

  /** Rows and commands that are not yet known to be committed. */
  get queueLength(): number {
    return this.#queue.length;
  }

  /** Milliseconds since 1970 that never go back. */
  nowMs(): number {
    return this.parts.time.tick(this.parts.clock.nowMs(), this.parts.clock.monotonicMs());
  }

  admit(candidate: Candidate, policyVersion: number, decide: Decide): Promise<Decision> {
    try {
      return this.#admit(candidate, policyVersion, decide);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  deniedLately(keyId: number): boolean {
    return this.#denials.has(keyId);
  }

  denyAgain(candidate: Candidate, policyVersion: number, decide: Decide): Decision | null {
    // What could not be recorded now is told so on the usual way.
    if (!this.available || !this.parts.time.confirmed) return null;
    const verdict = decide(this.parts.memory, candidate, this.nowMs());
    if (verdict.allow) return null;
    const counted = this.#denials.again(candidate, policyVersion, verdict, this.parts.clock.monotonicMs());
    return counted === null ? null : { ...counted, verdict };
  }

  settle(settlement: Settlement): void {
    const atMs = this.nowMs();
    const seq = this.#lastSeq + 1;
    // Made first: what cannot be written must not count in memory either.
    const row = settlementRow(seq, atMs, settlement);
    if (!this.parts.memory.settle(settlement, atMs)) return;
    this.#lastSeq = seq;
    this.#push(new KeptRow(seq, atMs, row));
  }

  drain(): Promise<void> {
    this.#denials.flush();
    return this.#queue.drain();
  }

  /** Like `drain`, but gives up after `timeoutMs`: false when something is still on its way. */
  async flushed(timeoutMs: number): Promise<boolean> {
    this.#denials.flush();
    if (this.#queue.length === 0) return true;
    const timeout = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => timeout.resolve(false), timeoutMs);
    const drained = this.#queue.drain().then(() => true);
    return Promise.race([drained, timeout.promise]).finally(() => clearTimeout(timer));
  }

  /** Runs an operator's write as a transaction of its own, in order with everything else. Resolves when it is durable. */
  command<Name extends CommandName>(call: CommandCall<Name>): Promise<CommandResult<Name>> {
    if (!this.#open) return Promise.reject(new LedgerUnavailable('shutting_down'));
    if (!this.available) return Promise.reject(new LedgerUnavailable('ledger_unavailable'));
    const atMs = this.nowMs();
    this.#lastSeq += seqsOf(call);
    const waiting = Promise.withResolvers<unknown>();
    this.#push(new CommandItem(this.#lastSeq, atMs, call, waiting));
    return waiting.promise as Promise<CommandResult<Name>>;
  }

  /** Takes the writer's reply to what was sent last. */
  receive(reply: WriteReply): void {
    this.#meter.replied(reply, this.parts.clock.monotonicMs());
    this.#waiters.progressed();
    this.#queue.receive(reply);
    this.#reportHealth(reply.kind === 'failed' ? reply.message : 'the ledger commits again');
  }

  /** The writer died and a successor is on its way. */
  writerDied(): void {
    this.parts.events.onWriterDeath?.();
    this.#queue.becomeUnhealthy();
    this.#reportHealth('the writer died');
  }

  /** Admits nothing more. What was admitted can still settle. */
  stopAdmitting(): void {
    this.#open = false;
  }

  /** Stops the timers, after the last `drain`. */
  stop(): void {
    this.#open = false;
    this.#waiters.stop();
    this.#queue.stop();
  }

  #admit(candidate: Candidate, policyVersion: number, decide: Decide): Promise<Decision> {
    const atMs = this.#admissionTime();
    const { memory } = this.parts;
    const verdict = decide(memory, candidate, atMs);
    if (!verdict.allow) return Promise.resolve(this.#deny(candidate, policyVersion, verdict, atMs));
    const decision = { seq: ++this.#lastSeq, atMs, candidate, policyVersion, verdict };
    const row = decisionRow(decision, 1);
    memory.open(decision, belongingOf(candidate));
    const admission = new Admission(decision, row, this.parts.clock.monotonicMs(), this);
    this.#waiters.add(admission);
    this.#push(admission);
    return admission.promise;
  }

  #admissionTime(): number {
    if (!this.#open) throw new LedgerUnavailable('shutting_down');
    if (!this.available) throw new LedgerUnavailable('ledger_unavailable');
    if (this.#waiters.size >= this.parts.maxWaiting) throw new LedgerUnavailable('overloaded');
    const atMs = this.nowMs();
    if (!this.parts.time.confirmed) throw new LedgerUnavailable('clock_unconfirmed');
    return atMs;
  }

  #deny(candidate: Candidate, policyVersion: number, verdict: Denied, atMs: number): Decision {
    return this.#denials.add(candidate, policyVersion, verdict, this.parts.clock.monotonicMs(), () => {
      return { seq: ++this.#lastSeq, atMs, candidate, policyVersion, verdict };
    });
  }

  #push(item: QueueItem): void {
    this.#queue.push(item);
  }

  /** Takes the outcome of what was pushed; its admission calls this. */
  admitted(admission: Admission, outcome: ItemOutcome): void {
    this.#waiters.remove(admission);
    if (!outcome.committed) this.#undo(admission, outcome.message);
    else if (admission.expired) this.settle(notSent(admission.decision));
    else admission.resolve();
  }

  /** The caller is told 503; what is on its way keeps its hold until its outcome is known. */
  #expire(admission: Admission): void {
    admission.expired = true;
    if (this.#queue.isInFlight(admission)) this.#waiters.stalled = true;
    else {
      admission.cancelled = true;
      this.#waiters.remove(admission);
      this.parts.memory.undo(admission.decision.seq);
    }
    admission.reject(new LedgerUnavailable('ledger_unavailable'));
  }

  #undo(admission: Admission, message: string): void {
    this.parts.memory.undo(admission.decision.seq);
    admission.reject(new LedgerUnavailable('ledger_unavailable', { cause: new Error(message) }));
  }

  #reportHealth(why: string): void {
    if (this.#queue.healthy === this.#wasHealthy) return;
    this.#wasHealthy = this.#queue.healthy;
    this.parts.events.onHealth(this.#wasHealthy, why);
  }
}

/** A settlement or a denial: nobody waits for it, and it must not be lost. */
class KeptRow implements QueueItem {
  readonly kept = true;
  readonly urgent = false;
  readonly cancelled = false;

  constructor(
    readonly seq: number,
    readonly atMs: number,
    readonly write: Row,
  ) {}

  done(): void {}
}

/** An operator's write. */
class CommandItem implements QueueItem {
  readonly kept = false;
  readonly urgent = true;
  readonly cancelled = false;

  constructor(
    readonly seq: number,
    readonly atMs: number,
    readonly write: CommandCall,
    readonly waiting: PromiseWithResolvers<unknown>,
  ) {}

  done(outcome: ItemOutcome): void {
    if (outcome.committed) this.waiting.resolve(outcome.value);
    else if (outcome.fault === 'values') this.waiting.reject(new StoreConflict(outcome.message));
    else if (outcome.fault === 'program') this.waiting.reject(new Error(outcome.message));
    else this.waiting.reject(new LedgerUnavailable('ledger_unavailable', { cause: new Error(outcome.message) }));
  }
}

/** How a decision is settled whose caller had given up before its commit was known. */
function notSent(decision: Decision & { readonly verdict: Allowed }): Settlement {
  return {
    decisionSeq: decision.seq,
    outcome: 'not_sent',
    basis: 'none',
    costNanoUsd: 0,
    usage: null,
    overrun: false,
    upstreamStatus: 0,
    firstByteMs: null,
    durationMs: 0,
    responseId: null,
    countsVolume: false,
  };
}
