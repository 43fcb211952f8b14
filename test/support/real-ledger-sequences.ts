import { expect } from 'bun:test';
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import type { Clock } from '../../src/clock.ts';
import { belongingOf } from '../../src/domain/belonging.ts';
import type { Belonging } from '../../src/domain/state.ts';
import { LedgerUnavailable } from '../../src/ledger/ledger.ts';
import type { OpenLedger } from '../../src/ledger/sqlite/open-ledger.ts';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { verifyLedger } from '../../src/ledger/sqlite/verify.ts';
import type { PrunedStep, PrunePlace } from '../../src/ledger/keep-store.ts';
import { LEAST_KEPT_DAYS } from '../../src/operator/pruning.ts';
import type { CompiledPolicy } from '../../src/policy/compiled.ts';
import { decide } from '../../src/policy/decide.ts';
import { open, openSeeded, temporaryDirectory } from '../ledger/harness.ts';
import { anyStep, candidates, POLICIES, START_MS, type Step } from './ledger-sequences.ts';
import { ModelLedger } from './model-ledger.ts';
import { settlementOf } from './policies.ts';
import { TEST_SEAL_KEYS } from './seal-keys.ts';

/** A crash may come with settlements on their way and with a decision that nobody was promised. */
type RealStep = Step | { readonly kind: 'crash'; readonly onTheirWay: number } | { readonly kind: 'prune'; readonly maxRows: number };

const realStep: fc.Arbitrary<RealStep> = fc.oneof(
  { weight: 33, arbitrary: anyStep },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), onTheirWay: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('prune' as const), maxRows: fc.integer({ min: 1, max: 20 }) }) },
);

const AUTHOR = 'opr_1';
const OWN_KEYS = 3;
const DAY_MS = 86_400_000;

/** Time that only moves when a step moves it. */
class SteppedClock implements Clock {
  wallMs = START_MS;
  atMonotonicMs = 0;
  nowMs = () => this.wallMs;
  monotonicMs = () => this.atMonotonicMs;
  pass(wallMs: number, monotonicMs: number): void {
    this.wallMs += wallMs;
    this.atMonotonicMs += monotonicMs;
  }
}

/** The same steps on a ledger in files and on the model. */
class RealRun {
  readonly model = new ModelLedger();
  readonly seen = new Map<string, Belonging>();
  policy: CompiledPolicy = POLICIES[0]!;
  admitted = 0;
  starts = 1;
  pruned = 0;

  private constructor(
    readonly clock: SteppedClock,
    public opened: OpenLedger,
    public dataDir: string,
    readonly newDirectory: () => string,
  ) {}

  static async begin(newDirectory: () => string): Promise<RealRun> {
    const dataDir = newDirectory();
    const clock = new SteppedClock();
    const opened = await openSeeded(dataDir, { clock });
    const { store } = opened;
    await store.createProject({ publicId: 'prj_2', workspaceId: 1, name: 'second', lineageId: null });
    for (let id = OWN_KEYS; id <= 2 * OWN_KEYS; id++) {
      const key = {
        publicId: `key_${id}`,
        name: `key ${id}`,
        environment: 'live',
        prefix: `pk_live_${id}`,
        sha256: `${id}`.repeat(64),
      } as const;
      await store.createKey({ ...key, projectId: id === OWN_KEYS ? 1 : 2, expiresAtMs: null, lineageId: null });
    }
    return new RealRun(clock, opened, dataDir, newDirectory);
  }

  async apply(step: RealStep): Promise<void> {
    if (step.kind === 'admit') await this.#admit(step);
    else if (step.kind === 'settle') this.#settle(step.pick, step.share, step.counts);
    else if (step.kind === 'pass') this.clock.pass(step.ms, step.ms);
    else if (step.kind === 'jump') this.#jump(step.ms, step.confirm);
    else if (step.kind === 'policy') await this.#changePolicy(step.index);
    else if (step.kind === 'grant') await this.#grant(step.requests);
    else if (step.kind === 'sentry') await this.#sentry(step.isOn);
    else if (step.kind === 'crash') await this.#crash(step.onTheirWay);
    else if (step.kind === 'restart') await this.#restart();
    else if (step.kind === 'prune') await this.#prune(step.maxRows);
    this.#compare();
  }

  /** Ends what is open and looks whether the file says the same as its rows. */
  async end(): Promise<void> {
    for (const hold of this.model.holds) this.#settleHold(hold.seq, 7, true);
    this.#compare();
    await this.opened.close();
    expect(verifyLedger(ledgerPath(this.dataDir), { sealKeys: TEST_SEAL_KEYS })).toEqual([]);
  }

  async #admit(step: Extract<Step, { kind: 'admit' }>): Promise<void> {
    const made = candidates(step);
    const candidate = { ...made, keyId: made.projectId === 1 ? made.keyId : (made.keyId % 10) + OWN_KEYS };
    const { ledger, time } = this.opened;
    ledger.nowMs();
    const pending = ledger.admit(candidate, 1, (state, one, nowMs) => decide(this.policy, state, one, nowMs));
    const decision = await pending.catch((error: unknown) => {
      if (error instanceof LedgerUnavailable && error.reason === 'clock_unconfirmed') return null;
      throw error;
    });
    expect(decision !== null).toBe(time.confirmed);
    if (decision === null || !decision.verdict.allow) return;
    const who = belongingOf(candidate);
    this.seen.set(JSON.stringify(who), who);
    this.model.open(decision, who);
    this.admitted++;
    for (const { account, models, limitNanoUsd, mode } of this.policy.budgets) {
      const applies = models === null || candidate.models.some((model) => models.match(model) !== null);
      if (account === null || mode !== 'enforce' || !applies) continue;
      const { settledNanoUsd, heldNanoUsd } = this.model.balance(account, who, decision.atMs);
      expect(settledNanoUsd + heldNanoUsd).toBeLessThanOrEqual(limitNanoUsd);
    }
  }

  #settle(pick: number, share: number, counts: boolean): void {
    const hold = this.model.holds[pick % Math.max(1, this.model.holds.length)];
    if (hold !== undefined) this.#settleHold(hold.seq, Math.floor(hold.holdNanoUsd * share), counts);
  }

  #settleHold(seq: number, costNanoUsd: number, countsVolume: boolean): void {
    const settlement = settlementOf(seq, costNanoUsd, { countsVolume });
    const { ledger } = this.opened;
    const atMs = ledger.nowMs();
    ledger.settle(settlement);
    ledger.settle(settlement);
    this.model.settle(settlement, atMs);
  }

  #jump(ms: number, confirm: boolean): void {
    this.clock.pass(ms, 0);
    this.opened.ledger.nowMs();
    if (confirm) this.opened.time.confirm(this.clock.wallMs, this.clock.atMonotonicMs);
  }

  async #changePolicy(index: number): Promise<void> {
    this.policy = POLICIES[index]!;
    await this.opened.store.savePolicy({ projectId: 1 }, `{"budgets":[],"note":${index}}`, AUTHOR);
  }

  async #grant(requests: number): Promise<void> {
    if (requests === 0) return;
    await this.opened.store.grantCredits(1, requests, 'gift', AUTHOR);
    this.model.credits.push([1, requests]);
  }

  async #sentry(isOn: boolean): Promise<void> {
    await this.opened.store.setSentry({ projectId: 2 }, isOn, AUTHOR);
    if (isOn) this.model.sentries.add('project 2');
    else this.model.sentries.delete('project 2');
  }

  /** Lets everything go that may, once it is old enough: nothing that is judged on may change. */
  async #prune(maxRows: number): Promise<void> {
    this.clock.pass(LEAST_KEPT_DAYS * DAY_MS, LEAST_KEPT_DAYS * DAY_MS);
    const { store, ledger } = this.opened;
    const beforeSeq = await store.firstSeqFrom(ledger.nowMs() - LEAST_KEPT_DAYS * DAY_MS);
    let from: PrunePlace | null = null;
    do {
      const done: PrunedStep | null = await store.prune({ beforeSeq, from, maxRows });
      this.pruned += done!.decisions;
      from = done!.next;
    } while (from !== null);
  }

  async #restart(): Promise<void> {
    await this.opened.close();
    await this.#start(this.dataDir);
  }

  /** What is in the files at this moment is all that is left: settlements that have not gone out yet are lost. */
  async #crash(onTheirWay: number): Promise<void> {
    const { opened } = this;
    await opened.ledger.drain();
    for (const { seq, holdNanoUsd } of this.model.holds.slice(0, onTheirWay))
      opened.ledger.settle(settlementOf(seq, Math.floor(holdNanoUsd / 2)));
    const to = this.newDirectory();
    for (const suffix of ['', '-wal']) {
      const from = ledgerPath(this.dataDir) + suffix;
      if (existsSync(from)) copyFileSync(from, join(to, `panicly.db${suffix}`));
    }
    await opened.close();
    await this.#start(to);
  }

  async #start(dataDir: string): Promise<void> {
    this.dataDir = dataDir;
    this.opened = await open(dataDir, { clock: this.clock });
    this.starts++;
    const atMs = this.opened.ledger.nowMs();
    for (const { seq, holdNanoUsd } of this.model.holds) this.model.settle(settlementOf(seq, holdNanoUsd), atMs);
  }

  #compare(): void {
    const { memory, ledger } = this.opened;
    const nowMs = ledger.nowMs();
    for (const who of this.seen.values()) {
      for (const { account } of POLICIES.flatMap(({ budgets }) => budgets)) {
        if (account === null) continue;
        const real = memory.balance(account, who, nowMs);
        const naive = this.model.balance(account, who, nowMs);
        // A start knows what is older than an hour by the hour: a rolling window then counts it longer, never shorter.
        if (account.period === 'rolling' && this.starts > 1) {
          expect(real.settledNanoUsd).toBeGreaterThanOrEqual(naive.settledNanoUsd);
          expect(real.heldNanoUsd).toBe(naive.heldNanoUsd);
        } else expect(real).toEqual(naive);
      }
      expect(memory.requestsWithin('key', who, 60_000, nowMs)).toBe(this.model.requestsWithin('key', who, 60_000, nowMs));
      expect(memory.inFlight('project', who)).toBe(this.model.inFlight('project', who));
      expect(memory.volume(who, nowMs)).toEqual(this.model.volume(who, nowMs));
      expect(memory.sentry(who)).toBe(this.model.sentry(who));
    }
    expect(memory.openCount).toBe(this.model.holds.length);
  }
}

/** What was done in all sequences. */
export interface RealSequences {
  readonly admitted: number;
  /** Crashes and restarts. */
  readonly starts: number;
  /** Decisions that were let go. */
  readonly pruned: number;
}

/** Runs `count` random sequences on ledgers in files. Throws with the seed and a short failing one. */
export async function runRealSequences(count: number, seed?: number): Promise<RealSequences> {
  let admitted = 0;
  let starts = 0;
  let pruned = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(realStep, { minLength: 30, maxLength: 80 }), async (steps) => {
      using stack = new DisposableStack();
      const run = await RealRun.begin(() => stack.use(temporaryDirectory()).path);
      try {
        for (const step of steps) await run.apply(step);
        await run.end();
      } finally {
        await run.opened.close();
      }
      admitted += run.admitted;
      starts += run.starts - 1;
      pruned += run.pruned;
    }),
    { numRuns: count, ...(seed === undefined ? {} : { seed }) },
  );
  return { admitted, starts, pruned };
}
