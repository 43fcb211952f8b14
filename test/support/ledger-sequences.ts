import { expect } from 'bun:test';
import * as fc from 'fast-check';
import { belongingOf, spendLabel } from '../../src/domain/belonging.ts';
import type { Candidate } from '../../src/domain/candidate.ts';
import { LedgerState } from '../../src/ledger/state.ts';
import { LedgerTime } from '../../src/ledger/time.ts';
import type { CompiledPolicy } from '../../src/policy/compiled.ts';
import { decide } from '../../src/policy/decide.ts';
import { ModelLedger } from './model-ledger.ts';
import { candidateOf, compiled, settlementOf } from './policies.ts';

/** One thing that happens to a ledger. */
export type Step =
  | { readonly kind: 'admit'; readonly who: number; readonly model: number; readonly cap: number | null; readonly payload: number }
  | { readonly kind: 'settle'; readonly pick: number; readonly share: number; readonly counts: boolean }
  | { readonly kind: 'undo'; readonly pick: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'jump'; readonly ms: number; readonly confirm: boolean }
  | { readonly kind: 'policy'; readonly index: number }
  | { readonly kind: 'grant'; readonly requests: number }
  | { readonly kind: 'sentry'; readonly isOn: boolean }
  | { readonly kind: 'restart' };

const SECOND_MS = 1000;
const HOUR_MS = 3600 * SECOND_MS;
/** When every sequence begins, milliseconds since 1970. */
export const START_MS = Date.UTC(2028, 1, 27, 22, 30);

const small = (limit: string) => ({ limit_usd: limit, mode: 'enforce' });
/** What sequences change between: every scope and every period. */
export const POLICIES: readonly CompiledPolicy[] = [
  compiled({
    budgets: [
      { scope: 'project', period: 'day', ...small('0.9') },
      { scope: 'key', period: 'week', ...small('1.1') },
      { scope: 'user', period: 'month', ...small('0.7') },
      { scope: 'key', period: 'rolling', window_seconds: 5400, ...small('0.6') },
    ],
    burst: { requests: 6, key_requests: 4, window_seconds: 60 },
    loop_guard: { repeats: 3, window_seconds: 120 },
    concurrency: { requests: 5 },
  }),
  compiled(
    {
      budgets: [
        { scope: 'project', period: 'total', ...small('3') },
        { scope: 'project', period: 'rolling', window_seconds: 90, model: 'gpt-*', ...small('0.5') },
        { scope: 'request', ...small('0.3') },
        { scope: 'key', period: 'day', limit_usd: '0.2', mode: 'observe' },
      ],
      abuse: { limit_usd: '0.8', window_seconds: 600, per: 'sender', key_limit_usd: '1.5' },
    },
    {
      budgets: [
        { scope: 'workspace', period: 'week', ...small('2') },
        { scope: 'user', period: 'day', ...small('0.5') },
      ],
    },
    { plan: 'plus', includedRequests: 5 },
  ),
  compiled(
    { budgets: [{ scope: 'key', period: 'month', model: '*mini*', ...small('0.4') }], abuse: { mode: 'off' } },
    {},
    { plan: 'free', includedRequests: 8 },
  ),
  compiled({ budgets: [], abuse: { mode: 'off' } }),
];

const MODELS = [['gpt-4.1'], ['gpt-4.1-mini'], ['o3'], ['o3', 'gpt-4.1-mini']] as const;

/** The request of a step. */
export const candidates = (step: Extract<Step, { kind: 'admit' }>): Candidate => {
  const models = MODELS[step.model % MODELS.length]!;
  return candidateOf({
    environment: step.who % 5 === 4 ? 'test' : 'live',
    projectId: 1 + (step.who % 2),
    keyId: 1 + (step.who % 3) + 10 * (step.who % 2),
    endUser: step.who % 4 === 0 ? null : `user-${step.who % 4}`,
    ip: `192.0.2.${step.who % 3}`,
    model: models[0],
    models,
    fingerprint: BigInt(step.payload),
    quote: { clientOutputCap: step.cap, outputFloor: 512 },
  });
};

/** Any step, in proportions that keep a ledger busy. */
export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('admit' as const),
      who: fc.nat(20),
      model: fc.nat(3),
      cap: fc.option(fc.integer({ min: 1, max: 30_000 })),
      payload: fc.nat(4),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('settle' as const),
      pick: fc.nat(30),
      share: fc.constantFrom(0, 0.3, 1, 1, 1, 1.2),
      counts: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('undo' as const), pick: fc.nat(30) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.oneof(
        fc.nat(3 * SECOND_MS),
        fc.constantFrom(30 * SECOND_MS, 60 * SECOND_MS, 90 * SECOND_MS, HOUR_MS, 24 * HOUR_MS, 40 * 24 * HOUR_MS),
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('jump' as const),
      ms: fc.constantFrom(-2 * HOUR_MS, -1000, 240_000, 10 * HOUR_MS),
      confirm: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('policy' as const), index: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('grant' as const), requests: fc.integer({ min: -2, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sentry' as const), isOn: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
);

/** One run: the same steps on the real state and on the model. */
class Run {
  state = new LedgerState();
  readonly model = new ModelLedger();
  readonly time = new LedgerTime();
  policy = POLICIES[0]!;
  wallMs = START_MS;
  monotonicMs = 0;
  seq = 0;

  apply(step: Step): void {
    const nowMs = this.time.tick(this.wallMs, this.monotonicMs);
    if (step.kind === 'admit') this.#admit(candidates(step), nowMs);
    else if (step.kind === 'settle') this.#settle(step, nowMs);
    else if (step.kind === 'undo') this.#undo(step.pick);
    else if (step.kind === 'pass') this.#pass(step.ms, step.ms);
    else if (step.kind === 'jump') this.#jump(step.ms, step.confirm);
    else if (step.kind === 'policy') this.policy = POLICIES[step.index]!;
    else if (step.kind === 'grant') this.#grant(step.requests);
    else if (step.kind === 'sentry') this.#sentry(step.isOn);
    else this.#restart(nowMs);
    this.#compare(this.time.tick(this.wallMs, this.monotonicMs));
  }

  #admit(candidate: Candidate, atMs: number): void {
    if (!this.time.confirmed) return;
    const verdict = decide(this.policy, this.state, candidate, atMs);
    expect(verdict).toEqual(decide(this.policy, this.model, candidate, atMs));
    if (!verdict.allow) return;
    const decision = { seq: ++this.seq, atMs, candidate, policyVersion: 1, verdict };
    const who = belongingOf(candidate);
    this.state.open(decision, who);
    this.model.open(decision, who);
    for (const { account, models, limitNanoUsd, mode } of this.policy.budgets) {
      const applies = models === null || candidate.models.some((model) => models.match(model) !== null);
      if (account === null || mode !== 'enforce' || !applies) continue;
      const { settledNanoUsd, heldNanoUsd } = this.model.balance(account, who, atMs);
      expect(settledNanoUsd + heldNanoUsd).toBeLessThanOrEqual(limitNanoUsd);
    }
  }

  #settle(step: Extract<Step, { kind: 'settle' }>, atMs: number): void {
    const hold = this.model.holds[step.pick % Math.max(1, this.model.holds.length)];
    const cost = Math.floor((hold?.holdNanoUsd ?? 0) * step.share);
    const settlement = settlementOf(hold?.seq ?? 0, cost, { countsVolume: step.counts });
    expect(this.state.settle(settlement, atMs)).toBe(this.model.settle(settlement, atMs));
    expect(this.state.settle(settlement, atMs)).toBe(false);
  }

  #undo(pick: number): void {
    const hold = this.model.holds[pick % Math.max(1, this.model.holds.length)];
    if (hold === undefined) return;
    this.state.undo(hold.seq);
    this.model.undo(hold.seq);
  }

  #pass(wallMs: number, monotonicMs: number): void {
    this.wallMs += wallMs;
    this.monotonicMs += monotonicMs;
  }

  #jump(ms: number, confirm: boolean): void {
    this.#pass(ms, 0);
    this.time.tick(this.wallMs, this.monotonicMs);
    if (confirm) this.time.confirm(this.wallMs, this.monotonicMs);
  }

  #grant(requests: number): void {
    this.state.grantCredits(1, requests);
    this.model.credits.push([1, requests]);
  }

  #sentry(isOn: boolean): void {
    this.state.setSentry({ projectId: 2 }, isOn);
    if (isOn) this.model.sentries.add('project 2');
    else this.model.sentries.delete('project 2');
  }

  /** What a start does with the rows, every settlement with its own time. */
  #restart(nowMs: number): void {
    const { model } = this;
    this.state = new LedgerState();
    for (const [workspaceId, requests] of model.credits) this.state.grantCredits(workspaceId, requests);
    for (const { hold, atMs, costNanoUsd } of model.spends) {
      this.state.restoreSettled({ who: hold.who, label: spendLabel(hold.models), costNanoUsd, atMs });
    }
    this.#restoreVolume();
    for (const { who, fingerprint, atMs } of model.admissions)
      if (atMs > nowMs - HOUR_MS) this.state.restoreAdmitted({ who, fingerprint, atMs });
    for (const hold of model.holds) this.state.restoreOpen({ ...hold, label: spendLabel(hold.models) });
    this.#sentry(model.sentries.size > 0);
  }

  #restoreVolume(): void {
    for (const { hold, atMs, countsVolume } of this.model.spends) {
      if (!countsVolume) continue;
      const date = new Date(atMs);
      const isCredit = hold.draws === 'credit';
      this.state.restoreVolume({
        environmentTest: hold.who.environmentTest,
        workspaceId: hold.who.workspaceId,
        monthStartMs: Date.UTC(date.getUTCFullYear(), date.getUTCMonth()),
        includedRequests: isCredit ? 0 : 1,
        creditRequests: isCredit ? 1 : 0,
      });
    }
  }

  #compare(nowMs: number): void {
    const { state, model } = this;
    const all = [...model.holds, ...model.spends.slice(-3).map(({ hold }) => hold)];
    for (const { who, fingerprint } of all) {
      for (const policy of POLICIES)
        for (const { account } of policy.budgets)
          if (account !== null) expect(state.balance(account, who, nowMs)).toEqual(model.balance(account, who, nowMs));
      for (const scope of ['key', 'project', 'sender', 'user'] as const) {
        expect(state.heldNow(scope, who)).toBe(model.heldNow(scope, who));
        expect(state.spentWithin(scope, who, 600_000, nowMs)).toBe(model.spentWithin(scope, who, 600_000, nowMs));
      }
      expect(state.requestsWithin('key', who, 60_000, nowMs)).toBe(model.requestsWithin('key', who, 60_000, nowMs));
      expect(state.roomAtMs('project', who, 60_000, 2, nowMs)).toBe(model.roomAtMs('project', who, 60_000, 2, nowMs));
      expect(state.repeatsWithin(fingerprint, who, 120_000, nowMs)).toBe(model.repeatsWithin(fingerprint, who, 120_000, nowMs));
      expect(state.inFlight('project', who)).toBe(model.inFlight('project', who));
      expect(state.volume(who, nowMs)).toEqual(model.volume(who, nowMs));
    }
    expect(state.openCount).toBe(model.holds.length);
  }

  /** Settles everything: nothing may stay held, and every total equals the sum of what was settled. */
  end(): void {
    const nowMs = this.time.lastMs;
    for (const { seq } of this.model.holds) this.#settleAll(seq, nowMs);
    const { live, test } = this.state.snapshot(nowMs);
    for (const [side, isTest] of [
      [live, false],
      [test, true],
    ] as const) {
      for (const [id, book] of Object.entries(side.keys)) {
        expect(book.heldNanoUsd).toBe(0);
        expect(book.inFlight).toBe(0);
        expect(book.byLabel).toEqual(this.model.totalOf(Number(id), isTest));
      }
    }
  }

  #settleAll(seq: number, nowMs: number): void {
    const settlement = settlementOf(seq, 7);
    this.state.settle(settlement, nowMs);
    this.model.settle(settlement, nowMs);
  }
}

/** Runs `count` random sequences; returns how many requests were admitted. `make nightly` runs 100,000. Throws with the shortest failing one. */
export function runSequences(count: number, seed?: number): number {
  let admitted = 0;
  fc.assert(
    fc.property(fc.array(anyStep, { minLength: 10, maxLength: 80 }), (steps) => {
      const run = new Run();
      for (const step of steps) run.apply(step);
      run.end();
      admitted += run.seq;
    }),
    { numRuns: count, ...(seed === undefined ? {} : { seed }) },
  );
  return admitted;
}
