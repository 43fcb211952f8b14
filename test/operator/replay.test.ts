import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { verifyLedger } from '../../src/ledger/sqlite/verify.ts';
import { hasDifferences, type ReplayReport } from '../../src/operator/replay/report.ts';
import { runReplay } from '../../src/operator/replay/run.ts';
import { parsePolicy, type PolicyDocument } from '../../src/policy/document.ts';
import { temporaryDirectory } from '../ledger/harness.ts';
import { BEGIN_MS, LONG_WINDOWS, makeHistory, POLICIES, World } from '../support/generated-history.ts';
import { NOTHING } from '../support/policies.ts';

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
    numberOf(world, `SELECT at_ms AS value FROM decisions WHERE seq >= ${Math.floor((last * (index + 1)) / (count + 1))} ORDER BY seq LIMIT 1`),
  );
}

describe('the policy in force', () => {
  test.each([
    ['in one run', { seed: 1, steps: 420, policies: [...POLICIES, ...LONG_WINDOWS], restarts: false }],
    ['over restarts', { seed: 2, steps: 420, policies: POLICIES, restarts: true }],
  ] as const)('makes no difference, %s, from the beginning and from any moment', async (_, plan) => {
    using directory = temporaryDirectory();
    const world = new World(directory.path);
    await world.start();
    await makeHistory(world, plan);
    const whole = await replay(world, null);
    expect({ ...whole, before: null, after: null }).toMatchObject({ otherReason: 0, otherObserved: 0, otherHold: { requests: 0, notSpentNanoUsd: 0 } });
    expect(whole.newlyDenied.examples).toEqual([]);
    expect(whole.newlyAllowed.examples).toEqual([]);
    expect(hasDifferences(whole)).toBe(false);
    expect(whole.after).toEqual(whole.before);
    expect(whole.rows).toBe(numberOf(world, 'SELECT count(*) AS value FROM decisions'));
    expect(whole.before.allowed + whole.before.denied).toBe(numberOf(world, 'SELECT sum(count) AS value FROM decisions'));
    expect(numberOf(world, 'SELECT count(DISTINCT reason) AS value FROM decisions')).toBeGreaterThan(10);
    expect(numberOf(world, 'SELECT max(count) AS value FROM decisions')).toBeGreaterThan(1);
    for (const fromMs of moments(world, 40)) {
      const later = await replay(world, null, fromMs);
      expect({ fromMs, examples: [...later.newlyDenied.examples, ...later.newlyAllowed.examples] }).toEqual({ fromMs, examples: [] });
      expect(hasDifferences(later)).toBe(false);
    }
    await world.close();
    expect(verifyLedger(ledgerPath(directory.path))).toEqual([]);
  }, 60_000);
});
void NOTHING;
