import type { Clock } from '../clock.ts';
import { Refusal } from '../domain/errors.ts';
import type { KeepStore, PrunedStep, PruneStep } from '../ledger/keep-store.ts';
import { LedgerUnavailable } from '../ledger/ledger.ts';
import { KEPT_DAYS } from '../ledger/sqlite/periods.ts';
import type { AuditEvent, Store } from '../ledger/store.ts';
import { auditOf, type Actor } from './office.ts';

/** Decisions are kept for at least so many days: no window and no month of a budget reaches further back, nor does a start. */
export const LEAST_KEPT_DAYS = KEPT_DAYS;

const DAY_MS = 86_400_000;
/** A step holds up admissions for as long as it takes: a few milliseconds. */
const ROWS_PER_STEP = 256;
/** Between steps, so that most of the writer's time is left to admissions. */
const LEAST_PAUSE_MS = 10;
const PAUSE_PER_STEP = 3;
/** After a step that the ledger could not take: how long until it is tried again, and how often. */
const RETRY_MS = 500;
const MAX_FAILURES = 120;
const EVERY_MS = 3_600_000;
/** After a longer sleep of the ledger the clock may be wrong: then only a person begins to prune. */
const BELIEVED_SLEEP_MS = 7 * DAY_MS;
const FIRST_AFTER_MS = 60_000;
const SYSTEM: Actor = { id: 'system', ip: null };

/** What pruning works with. */
export interface PruningOptions {
  readonly store: KeepStore & Pick<Store, 'recordAudit'>;
  readonly clock: Clock;
  /** Ledger time, milliseconds since 1970. */
  readonly nowMs: () => number;
  /** How old the newest row was when the ledger was opened, milliseconds. */
  readonly sleptMs: number;
  /** How long decisions are kept by themselves; null for ever. */
  readonly days: number | null;
  /** Told what the schedule did: `ledger_pruned`, `ledger_prune_failed`, `ledger_prune_waits`. */
  readonly log: (event: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** How a run of pruning stands, or how the last one ended. */
export interface PruningRun {
  readonly isRunning: boolean;
  readonly days: number;
  /** What is older than this goes: ledger time, milliseconds since 1970. */
  readonly beforeMs: number;
  readonly decisions: number;
  readonly settlements: number;
  readonly corrections: number;
  /** Why it ended early; null when it did not. */
  readonly problem: string | null;
}

/** Lets old decisions go, in steps so short that requests do not notice: by hand and by the clock. One run at a time. */
export class Pruning {
  #run: PruningRun | null = null;
  #running: Promise<void> | null = null;
  #timer: Timer | null = null;
  /** False while the clock that says what is old may be wrong. */
  #isTrusted: boolean;
  readonly #stop = Promise.withResolvers<void>();
  #isStopped = false;

  constructor(readonly options: PruningOptions) {
    this.#isTrusted = options.sleptMs <= BELIEVED_SLEEP_MS;
  }

  /** The run that goes on, or the last one; null when there was none since the start. */
  get run(): PruningRun | null {
    return this.#run;
  }

  /** Begins a run, and returns while it goes on. Throws a Refusal when one goes on already or `days` are too few. */
  begin(days: number, actor: Actor): PruningRun {
    if (days < LEAST_KEPT_DAYS)
      throw new Refusal('invalid_value', `Decisions are kept for at least ${LEAST_KEPT_DAYS} days: budgets look back that far.`);
    if (this.#running) throw new Refusal('conflict', 'Old decisions are being pruned already. Try again when that is done.');
    const beforeMs = this.options.nowMs() - days * DAY_MS;
    const detail = { older_than_days: days, before: new Date(beforeMs).toISOString() };
    this.#isTrusted = true;
    return this.#launch(days, beforeMs, auditOf(actor, 'ledger.prune', 'ledger', detail));
  }

  /** Resolves when the run that goes on has ended. */
  async ended(): Promise<void> {
    await this.#running;
  }

  /** Begins to prune what the setting says, now and then, until `close`. Again when it was set later. */
  start(): void {
    if (this.options.days === null || this.#timer !== null) return;
    const prune = () => void (this.options.days !== null && this.tick(this.options.days));
    this.#timer = setTimeout(() => {
      this.#timer = setInterval(prune, EVERY_MS);
      prune();
    }, FIRST_AFTER_MS);
  }

  /** Prunes what the setting says. Never rejects: what fails is logged, and tried again the next time. */
  async tick(days: number): Promise<void> {
    if (this.#running) return;
    if (!this.#isTrusted) return this.options.log('ledger_prune_waits', { slept_days: Math.floor(this.options.sleptMs / DAY_MS) });
    this.#launch(days, this.options.nowMs() - days * DAY_MS, null);
    await this.ended();
    const { decisions, settlements, corrections, problem } = this.#run!;
    if (problem !== null) this.options.log('ledger_prune_failed', { why: problem });
    if (decisions > 0) this.options.log('ledger_pruned', { decisions, settlements, corrections });
  }

  /** Stops the schedule, and waits until the step that goes on is over. */
  async close(): Promise<void> {
    this.#isStopped = true;
    this.#stop.resolve();
    if (this.#timer) clearTimeout(this.#timer);
    await this.#running;
  }

  #launch(days: number, beforeMs: number, audit: AuditEvent | null): PruningRun {
    const run = { isRunning: true, days, beforeMs, decisions: 0, settlements: 0, corrections: 0, problem: null };
    this.#run = run;
    this.#running = this.#go(run, audit).finally(() => (this.#running = null));
    return run;
  }

  /** By hand the audit event is committed with the first step; by the clock only what was pruned is worth one. */
  async #go(run: PruningRun, audit: AuditEvent | null): Promise<void> {
    const { store } = this.options;
    try {
      const beforeSeq = await store.firstSeqFrom(run.beforeMs);
      await this.#steps({ beforeSeq, from: null, maxRows: ROWS_PER_STEP }, audit);
      if (audit === null && this.#run!.decisions > 0) await store.recordAudit(this.#auditOfRun());
      this.#run = { ...this.#run!, isRunning: false };
    } catch (error) {
      this.#run = { ...this.#run!, isRunning: false, problem: error instanceof Error ? error.message : String(error) };
    }
  }

  async #steps(first: PruneStep, audit: AuditEvent | null): Promise<void> {
    const { store, clock } = this.options;
    let step = first;
    let toTell = audit ?? undefined;
    let failures = 0;
    while (!this.#isStopped) {
      const startedMs = clock.monotonicMs();
      const done = await store.prune(step, toTell).catch(ifUnavailable);
      if (done === null && ++failures > MAX_FAILURES) throw new Error('the ledger cannot be written');
      if (done?.next === null) return this.#count(done);
      if (done !== null) {
        this.#count(done);
        failures = 0;
        toTell = undefined;
        step = { ...step, from: done.next };
      }
      // After a writer that died over a step, which may be done or not, the same step takes what is left of it.
      const leastMs = done === null ? RETRY_MS : LEAST_PAUSE_MS;
      await this.#pause(Math.max(leastMs, PAUSE_PER_STEP * (clock.monotonicMs() - startedMs)));
    }
  }

  #count({ decisions, settlements, corrections }: PrunedStep): void {
    const run = this.#run!;
    this.#run = {
      ...run,
      decisions: run.decisions + decisions,
      settlements: run.settlements + settlements,
      corrections: run.corrections + corrections,
    };
  }

  #auditOfRun(): AuditEvent {
    const { days, beforeMs, decisions, settlements, corrections } = this.#run!;
    const detail = { older_than_days: days, before: new Date(beforeMs).toISOString(), decisions, settlements, corrections };
    return auditOf(SYSTEM, 'ledger.prune', 'ledger', detail);
  }

  async #pause(ms: number): Promise<void> {
    const timer = Promise.withResolvers<void>();
    const timeout = setTimeout(() => timer.resolve(), ms);
    await Promise.race([timer.promise, this.#stop.promise]);
    clearTimeout(timeout);
  }
}

function ifUnavailable(error: unknown): null {
  if (error instanceof LedgerUnavailable && error.reason === 'ledger_unavailable') return null;
  throw error;
}
