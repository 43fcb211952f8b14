import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { verifyLedger } from '../../src/ledger/sqlite/verify.ts';
import type { ReplayReport } from '../../src/operator/replay/report.ts';
import { Replays } from '../../src/operator/replay/replays.ts';
import { runReplay } from '../../src/operator/replay/run.ts';
import { parsePolicy, type PolicyDocument } from '../../src/policy/document.ts';
import { FIRST_START, temporaryDirectory } from '../ledger/harness.ts';
import { BEGIN_MS, LONG_WINDOWS, makeHistory, POLICIES, World } from '../support/generated-history.ts';
import { fillLedger } from '../support/long-ledger.ts';
import { NOTHING } from '../support/policies.ts';

/** Whether any decision, hold or observation would have been another. */
function hasDifferences(report: ReplayReport): boolean {
  const { newlyDenied, newlyAllowed, otherReason, otherHold, otherObserved } = report;
  return newlyDenied.requests + newlyAllowed.requests + otherReason + otherHold.requests + otherObserved > 0;
}

const FOREVER_MS = BEGIN_MS + 1_000 * 86_400_000;

async function replay(world: World, policy: object | null, fromMs = 0, toMs = FOREVER_MS): Promise<ReplayReport> {
  await world.ledger.ledger.drain();
  return runReplay(
    {
      path: ledgerPath(world.dataDir),
      workspace: world.registry.workspaces.get(1)!,
      project: world.registry.projects.get(1)!,
      policy: policy === null ? null : (parsePolicy(policy) as PolicyDocument),
      fromMs,
      toMs,
    },
    { onProgress: () => {}, pause: () => Promise.resolve() },
  );
}

function numberOf(world: World, sql: string): number {
  const db = new Database(ledgerPath(world.dataDir), { readonly: true });
  const row = db.query<{ value: number }, []>(sql).get()!;
  db.close();
  return row.value;
}

/** The times of `count` decisions, evenly spread over the ledger. */
function moments(world: World, count: number): number[] {
  const last = numberOf(world, 'SELECT max(seq) AS value FROM decisions');
  return Array.from({ length: count }, (_, index) =>
    numberOf(
      world,
      `SELECT at_ms AS value FROM decisions WHERE seq >= ${Math.floor((last * (index + 1)) / (count + 1))} ORDER BY seq LIMIT 1`,
    ),
  );
}

describe('the policy in force', () => {
  test.each([
    ['in one run', { seed: 1, steps: 420, policies: [...POLICIES, ...LONG_WINDOWS], restarts: false }],
    ['over restarts', { seed: 2, steps: 420, policies: POLICIES, restarts: true }],
  ] as const)(
    'makes no difference, %s, from the beginning and from any moment',
    async (_, plan) => {
      using directory = temporaryDirectory();
      const world = new World(directory.path);
      await world.start();
      await makeHistory(world, plan);
      const whole = await replay(world, null);
      expect({ ...whole, before: null, after: null }).toMatchObject({
        otherReason: 0,
        otherObserved: 0,
        otherHold: { requests: 0, notSpentNanoUsd: 0 },
      });
      expect(whole.newlyDenied.examples).toEqual([]);
      expect(whole.newlyAllowed.examples).toEqual([]);
      expect(hasDifferences(whole)).toBe(false);
      expect(whole.after).toEqual(whole.before);
      expect(whole.rows).toBe(numberOf(world, 'SELECT count(*) AS value FROM decisions'));
      expect(whole.before.allowed + whole.before.denied).toBe(numberOf(world, 'SELECT sum(count) AS value FROM decisions'));
      expect(numberOf(world, 'SELECT count(DISTINCT reason) AS value FROM decisions')).toBeGreaterThan(10);
      expect(numberOf(world, 'SELECT max(count) AS value FROM decisions')).toBeGreaterThan(1);
      for (const fromMs of moments(world, 20)) {
        const later = await replay(world, null, fromMs);
        expect({ fromMs, examples: [...later.newlyDenied.examples, ...later.newlyAllowed.examples] }).toEqual({ fromMs, examples: [] });
        expect(hasDifferences(later)).toBe(false);
      }
      await world.close();
      expect(verifyLedger(ledgerPath(directory.path))).toEqual([]);
    },
    60_000,
  );
});
describe('grants and switches whose row is not on disk yet', () => {
  test('a request that was judged before they were in force is judged so again', async () => {
    using directory = temporaryDirectory();
    const world = new World(directory.path);
    await world.start();
    await world.setIncluded(2);
    await world.ask({});
    await world.ask({});
    const { store } = world.ledger;
    const test = { environment: 'test', keyId: 2, connectionId: 0 } as const;
    const granted = store.grantCredits(1, 1, 'gift', 'opr_1');
    // The test request proves nothing: it has volume of its own.
    const during = [world.ask({}), world.ask(test), world.ask({ ip: '198.51.100.2' })];
    await granted;
    const after = [await world.ask({}), await world.ask({})];
    const reasons = [...(await Promise.all(during)), ...after].map(({ verdict }) =>
      verdict.allow ? verdict.draws : verdict.finding.reason,
    );
    expect(reasons).toEqual(['credits_exhausted', 'included', 'credits_exhausted', 'credit', 'credits_exhausted']);
    await store.setSentry({ workspaceId: 1 }, true, 'opr_1');
    const off = store.setSentry({ workspaceId: 1 }, false, 'opr_1');
    expect((await world.ask(test)).verdict.allow).toBe(false);
    await off;
    expect((await world.ask({ ...test, fingerprint: 2n })).verdict.allow).toBe(true);
    const report = await replay(world, null);
    expect(report).toMatchObject({ rows: 8, before: { allowed: 5, denied: 4 } });
    expect(hasDifferences(report)).toBe(false);
    await world.close();
  });
});

describe('another policy', () => {
  test('that blocks a model denies exactly its requests, with their money', async () => {
    using directory = temporaryDirectory();
    const world = new World(directory.path);
    await world.start();
    const costs = { 'gpt-4.1': 0, 'o1-pro': 0 };
    for (let index = 0; index < 60; index++) {
      const model = index % 4 === 0 ? 'o1-pro' : 'gpt-4.1';
      const { verdict } = await world.ask({ model, keyId: 1 + (index % 2), quote: { clientOutputCap: 100 + index } });
      if (verdict.allow) costs[model] += Math.floor(verdict.holdNanoUsd * 0.5);
      world.settle(0, 0.5);
      world.clock.move(3_600_000);
    }
    const report = await replay(world, { ...NOTHING, models: { block: ['o1-pro'] } });
    expect(report).toMatchObject({
      rows: 60,
      before: { allowed: 60, denied: 0, costNanoUsd: costs['gpt-4.1'] + costs['o1-pro'] },
      after: { allowed: 45, denied: 15, costNanoUsd: costs['gpt-4.1'] },
      newlyDenied: { requests: 15, costNanoUsd: costs['o1-pro'] },
      newlyAllowed: { requests: 0, examples: [] },
      otherReason: 0,
      otherHold: { requests: 0 },
    });
    expect(report.newlyDenied.examples.length).toBe(10);
    expect(report.newlyDenied.examples[0]).toMatchObject({
      model: 'o1-pro',
      before: null,
      after: 'model_blocked',
      rule: 'block o1-pro',
      requests: 1,
    });
    expect([...report.byReason.keys(), ...report.byModel.keys(), ...report.byKey.keys()]).toEqual(['model_blocked', 'o1-pro', '1']);
    expect([...report.byDay.values()].map(({ newlyDenied }) => newlyDenied)).toEqual([6, 6, 3]);
    await world.close();
  });

  test('that is stricter judges each request on what it has let go before, and not on what it has not', async () => {
    using directory = temporaryDirectory();
    const world = new World(directory.path);
    await world.start();
    // 0.0082 USD is held, 0.0041 USD is spent: a budget of 0.02 USD lets three go in a day, then the fourth finds 0.0123 spent.
    for (let index = 0; index < 20; index++) {
      await world.ask({ quote: { clientOutputCap: 1_000 } });
      world.settle(0, 0.5);
      world.clock.move(60_000);
      if (index === 9) world.clock.move(86_400_000);
    }
    const report = await replay(world, { ...NOTHING, budgets: [{ scope: 'project', period: 'day', limit_usd: '0.02' }] });
    expect(report.newlyDenied.requests).toBe(14);
    expect(report).toMatchObject({
      after: { allowed: 6, denied: 14, costNanoUsd: 6 * 4_100_000 },
      newlyDenied: { costNanoUsd: 14 * 4_100_000 },
    });
    expect([...report.byReason]).toEqual([
      ['project_budget', { newlyDenied: 14, newlyAllowed: 0, notSpentNanoUsd: 14 * 4_100_000, newlySpentNanoUsd: 0 }],
    ]);
    await world.close();
  });

  test('that is looser lets go as many of a row of equal denials as have room, each at the usual cost', async () => {
    using directory = temporaryDirectory();
    const world = new World(directory.path);
    await world.start({ ...NOTHING, burst: { requests: 5, window_seconds: 60 } });
    await Promise.all(Array.from({ length: 50 }, () => world.ask({ quote: { clientOutputCap: 1_000 } })));
    world.settleAll(0.25);
    await world.ledger.ledger.drain();
    world.clock.move(30_000);
    await Promise.all(Array.from({ length: 40 }, () => world.ask({ quote: { clientOutputCap: 1_000 } })));
    const burst = (requests: number): object => ({ ...NOTHING, burst: { requests, window_seconds: 60 } });
    const report = await replay(world, burst(20));
    // The first row comes before anything has settled: its requests cost their hold. In the second the minute is full already.
    expect(report).toMatchObject({ rows: 7, before: { allowed: 5, denied: 85 }, after: { allowed: 20, denied: 70 } });
    expect(report.newlyAllowed).toMatchObject({ requests: 15, costNanoUsd: 15 * 8_200_000 });
    expect(report.newlyAllowed.examples).toMatchObject([{ requests: 15, before: 'burst_protection', after: null }]);
    expect(report.otherReason).toBe(0);
    const looser = await replay(world, burst(60));
    expect(looser.newlyAllowed).toMatchObject({ requests: 55, costNanoUsd: 45 * 8_200_000 + 10 * 2_050_000 });
    expect(looser.after).toMatchObject({ allowed: 60, denied: 30 });
    const other = await replay(world, { ...burst(60), network: { block: ['192.0.2.1'] } });
    expect(other).toMatchObject({ otherReason: 85, newlyDenied: { requests: 5 }, newlyAllowed: { requests: 0 } });
    await world.close();
  });

  test('that caps output keeps an answer to its cap, and one in observe mode only tells', async () => {
    using directory = temporaryDirectory();
    const world = new World(directory.path);
    await world.start();
    const { seq } = await world.ask({ quote: { clientOutputCap: 10_000 } });
    world.settle(0, 1);
    await world.ask({ quote: { clientOutputCap: 100 } });
    world.settle(0, 1);
    const report = await replay(world, { ...NOTHING, token_guard: { max_output_tokens: 1_000 } });
    expect(report).toMatchObject({ newlyDenied: { requests: 0 }, otherHold: { requests: 1, notSpentNanoUsd: 80_200_000 - 8_200_000 } });
    const observed = await replay(world, { ...NOTHING, models: { mode: 'observe', block: ['gpt-4.1'] } });
    expect(observed).toMatchObject({
      after: { allowed: 2, observed: 2 },
      before: { observed: 0 },
      otherObserved: 2,
      newlyDenied: { requests: 0 },
    });
    await world.correct(seq, 5);
    const blocked = await replay(world, { ...NOTHING, models: { block: ['gpt-4.1'] } });
    expect(blocked.newlyDenied.costNanoUsd).toBe(5 + 1_000_000);
    await world.close();
  });

  test('leaves other projects of the workspace as they were, and counts them where they share a budget', async () => {
    using directory = temporaryDirectory();
    const world = new World(directory.path);
    await world.start();
    await world.setWorkspacePolicy({ budgets: [{ scope: 'workspace', period: 'day', limit_usd: '0.05' }] });
    const other = await world.ledger.store.createProject({ publicId: 'prj_2', workspaceId: 1, name: 'other', lineageId: null });
    world.registry.putProject(other);
    await world.ledger.store.createKey({
      ...FIRST_START.keys[0]!,
      publicId: 'key_3',
      sha256: 'd'.repeat(64),
      projectId: other.id,
      lineageId: null,
    });
    for (let index = 0; index < 12; index++) {
      await world.ask({ quote: { clientOutputCap: 1_000 }, ...(index % 2 === 0 ? {} : { projectId: other.id, keyId: 3 }) });
      world.settle(0, 1);
    }
    expect(numberOf(world, 'SELECT count(*) AS value FROM decisions WHERE reason IS NULL')).toBe(6);
    const inForce = await replay(world, null);
    expect(inForce).toMatchObject({ rows: 4, before: { allowed: 3, denied: 3 } });
    expect(hasDifferences(inForce)).toBe(false);
    expect(await replay(world, { ...NOTHING, burst: { requests: 1 } })).toMatchObject({ rows: 4, after: { allowed: 1, denied: 5 } });
    await world.close();
  });
});

test('end users whose names end alike for SQL are brought back apart', async () => {
  using directory = temporaryDirectory();
  const world = new World(directory.path);
  await world.start({ ...NOTHING, budgets: [{ scope: 'user', period: 'total', limit_usd: '0.03' }] });
  const twins = ['u', 'u\u0000a', 'u\u0000b'];
  const cost = (endUser: string, usd: number) => world.ask({ endUser, quote: { clientOutputCap: Math.floor(usd * 120_000) } });
  for (const endUser of twins.slice(1)) {
    await cost(endUser, 0.02);
    world.settle(0, 1);
  }
  world.clock.move(3 * 86_400_000);
  const fromMs = world.clock.nowMs();
  const allowed: boolean[] = [];
  for (const endUser of twins) {
    allowed.push((await cost(endUser, 0.02)).verdict.allow);
    if (allowed.at(-1)) world.settle(0, 1);
  }
  expect(allowed).toEqual([true, false, false]);
  expect(hasDifferences(await replay(world, null, fromMs))).toBe(false);
  await world.close();
});

describe('a replay in its Worker', () => {
  test('tells its progress, runs alone, and can be stopped', async () => {
    using directory = temporaryDirectory();
    const world = new World(directory.path);
    await world.start();
    await world.close();
    fillLedger(ledgerPath(directory.path), 30_000, 1_000, BEGIN_MS);
    const task = {
      workspace: world.registry.workspaces.get(1)!,
      project: world.registry.projects.get(1)!,
      policy: parsePolicy({ ...NOTHING, models: { block: ['o4-mini'] } }) as PolicyDocument,
      fromMs: 0,
      toMs: FOREVER_MS,
    };
    const replays = new Replays(ledgerPath(directory.path));
    const shares: number[] = [];
    const abort = new AbortController();
    const running = replays.run(task, { onProgress: (share) => shares.push(share), signal: abort.signal });
    expect(replays.run(task, { onProgress: () => {}, signal: abort.signal })).rejects.toMatchObject({ reason: 'overloaded' });
    const report = await running;
    expect(report.newlyDenied.requests).toBe(6_000);
    expect(report.newlyAllowed.requests).toBe(3_000);
    expect(shares.at(-1)).toBe(1);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    const stopped = replays.run(task, { onProgress: () => abort.abort(), signal: abort.signal });
    expect(stopped).rejects.toThrow('the replay was stopped');
    await replays.close();
  });

  test('fails with what went wrong', async () => {
    using directory = temporaryDirectory();
    const replays = new Replays(`${directory.path}/missing.db`);
    const project = { id: 1, publicId: 'prj_1', workspaceId: 1, name: 'web', createdAtMs: 0 };
    const workspace = { id: 1, publicId: 'wsp_1', name: 'default', plan: 'unlimited', includedRequests: null, createdAtMs: 0 } as const;
    const task = { workspace, project, policy: null, fromMs: 0, toMs: 1 };
    expect(replays.run(task, { onProgress: () => {}, signal: new AbortController().signal })).rejects.toThrow('unable to open');
  });
});
