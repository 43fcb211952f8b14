import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock, type Clock } from '../../src/clock.ts';
import type { OpenLedger } from '../../src/ledger/sqlite/open-ledger.ts';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { verifyFile, type VerifyOptions } from '../../src/ledger/sqlite/verify.ts';
import { Pruning } from '../../src/operator/pruning.ts';
import { someRequests } from '../support/full-ledger.ts';
import { POLICIES } from '../support/ledger-sequences.ts';
import { TEST_SEAL_KEYS } from '../support/seal-keys.ts';
import { parseHead } from '../../src/ledger/sqlite/chain/head.ts';
import { allowed, always, candidate, denied, openSeeded, settlement, temporaryDirectory } from './harness.ts';

const DAY_MS = 86_400_000;
const ACTOR = { id: 'opr_1', ip: null };
const faultyWriter = new URL('./workers/faulty-writer.ts', import.meta.url).href;

/** The clock of this machine, a while later. */
class LaterClock implements Clock {
  laterMs = 0;
  nowMs = () => systemClock.nowMs() + this.laterMs;
  monotonicMs = () => systemClock.monotonicMs() + this.laterMs;
}

function pruningOf({ store, ledger }: OpenLedger, days: number | null = null, sleptMs = 0) {
  const log: string[] = [];
  return {
    log,
    pruning: new Pruning({ store, clock: systemClock, nowMs: () => ledger.nowMs(), sleptMs, days, log: (event) => void log.push(event) }),
  };
}

/** Prunes what is older than 40 days, and says what went. */
async function prune(opened: OpenLedger) {
  const { pruning } = pruningOf(opened);
  pruning.begin(40, ACTOR);
  await pruning.ended();
  return pruning.run!;
}

const verify = (dataDir: string, options: VerifyOptions = {}) => verifyFile(ledgerPath(dataDir), { sealKeys: TEST_SEAL_KEYS, ...options });

/** All rows of some tables, as one text. */
function contentOf(dataDir: string, ...tables: string[]): string {
  const db = new Database(ledgerPath(dataDir), { readonly: true });
  const rows = tables.map((table) => db.query(`SELECT * FROM ${table}`).values());
  db.close();
  return JSON.stringify(rows);
}

/** Decisions from before a moment. */
function olderThan(dataDir: string, atMs: number): number {
  const db = new Database(ledgerPath(dataDir), { readonly: true });
  const { rows } = db.query<{ rows: number }, [number]>('SELECT count(*) AS rows FROM decisions WHERE at_ms < ?').get(atMs)!;
  db.close();
  return rows;
}

const countOf = (dataDir: string, table: string) => JSON.parse(contentOf(dataDir, table))[0].length as number;

describe('pruning', () => {
  test('takes what is old and settled, keeps what is open or was corrected lately, and every sum', async () => {
    using directory = temporaryDirectory();
    const clock = new LaterClock();
    const opened = await openSeeded(directory.path, { clock });
    const { ledger, store } = opened;
    await someRequests(opened, 40);
    const isOpen = await ledger.admit(candidate(), 1, always(allowed()));
    const [late, corrected] = [
      await ledger.admit(candidate(), 1, always(allowed())),
      await ledger.admit(candidate(), 1, always(allowed())),
    ];
    ledger.settle(settlement(corrected));
    await ledger.drain();
    const head = await store.chainHead();
    const old = countOf(directory.path, 'decisions');
    clock.laterMs = 41 * DAY_MS;
    opened.time.confirm(clock.nowMs(), clock.monotonicMs());
    ledger.settle(settlement(late));
    await store.correct((await store.getDecision(corrected.seq))!, 5, 'late', 'opr_1');
    await someRequests(opened, 10);
    const kept = ['usage_rollups', 'balances', 'policies', 'audit_events'];
    const [before, usage, links] = [
      contentOf(directory.path, ...kept.slice(0, 3)),
      await store.usage({ groupBy: ['day', 'reason'] }),
      countOf(directory.path, 'chain_links'),
    ];
    expect(await prune(opened)).toMatchObject({ decisions: old - 3, settlements: 30, corrections: 2, problem: null });
    expect(contentOf(directory.path, ...kept.slice(0, 3))).toBe(before);
    expect(await store.usage({ groupBy: ['day', 'reason'] })).toEqual(usage);
    for (const { seq } of [isOpen, late, corrected]) expect((await store.getDecision(seq))?.decision.seq).toBe(seq);
    expect((await store.listDecisions({}, null, 100)).items).toHaveLength(countOf(directory.path, 'decisions'));
    expect((await store.listAudit(null, 1)).items).toMatchObject([{ action: 'ledger.prune', actor: 'opr_1' }]);
    expect(countOf(directory.path, 'chain_links')).toBeLessThan(links - 25);
    expect(await prune(opened)).toMatchObject({ decisions: 0, problem: null });
    ledger.settle(settlement(isOpen));
    await someRequests(opened, 10);
    await opened.close();
    expect(verify(directory.path, { head: parseHead(head) })).toMatchObject({ findings: [], firstBadRow: null });
  });

  test('leaves a state that a start makes the same of', async () => {
    using directory = temporaryDirectory();
    const clock = new LaterClock();
    let opened = await openSeeded(directory.path, { clock });
    const who = { environmentTest: false, workspaceId: 1, projectId: 1, keyId: 1, endUser: 'plain', sender: null };
    await someRequests(opened, 24);
    const old = countOf(directory.path, 'decisions');
    clock.laterMs = 41 * DAY_MS;
    opened.time.confirm(clock.nowMs(), clock.monotonicMs());
    await someRequests(opened, 24);
    const accounts = POLICIES.flatMap(({ budgets }) => budgets.flatMap(({ account }) => (account === null ? [] : [account])));
    const exact = accounts.filter(({ period }) => period !== 'rolling');
    const balances = () => exact.map((account) => opened.memory.balance(account, who, opened.ledger.nowMs()));
    const before = [balances(), opened.memory.volume(who, opened.ledger.nowMs())];
    expect((await prune(opened)).decisions).toBe(old);
    expect([balances(), opened.memory.volume(who, opened.ledger.nowMs())]).toEqual(before);
    await opened.close();
    opened = await openSeeded(directory.path, { clock });
    expect([balances(), opened.memory.volume(who, opened.ledger.nowMs())]).toEqual(before);
    await opened.close();
    expect(verify(directory.path).findings).toEqual([]);
  });

  test('goes on through a writer that dies, beside requests', async () => {
    using directory = temporaryDirectory();
    const clock = new LaterClock();
    const opened = await openSeeded(directory.path, { clock, writerUrl: faultyWriter });
    const { ledger, store } = opened;
    for (let done = 0; done < 1_000; done += 100) {
      const decisions = await Promise.all(
        Array.from({ length: 100 }, (_, at) => ledger.admit(candidate(), 1, always(at % 5 ? allowed() : denied()))),
      );
      for (const decision of decisions) if (decision.verdict.allow) ledger.settle(settlement(decision));
    }
    await ledger.drain();
    clock.laterMs = 41 * DAY_MS;
    opened.time.confirm(clock.nowMs(), clock.monotonicMs());
    const { pruning } = pruningOf(opened);
    pruning.begin(40, ACTOR);
    let deaths = 0;
    let admitted = 0;
    while (pruning.run!.isRunning) {
      if (deaths < 2 && pruning.run!.decisions > deaths * 150) {
        deaths++;
        writeFileSync(join(directory.path, 'fault'), 'die');
      }
      const decision = await ledger.admit(candidate(), 1, always(allowed())).catch(() => null);
      if (decision !== null) ledger.settle(settlement(decision));
      if (decision !== null) admitted++;
      await Bun.sleep(1);
    }
    expect(pruning.run).toMatchObject({ decisions: expect.any(Number), problem: null });
    expect([deaths, admitted > 0]).toEqual([2, true]);
    await ledger.drain();
    expect((await store.usage({ groupBy: ['environment'] }))[0]!.requests).toBeGreaterThan(1_000);
    await opened.close();
    expect(olderThan(directory.path, pruning.run!.beforeMs)).toBe(0);
    expect(verify(directory.path)).toMatchObject({ findings: [], firstBadRow: null });
  });

  test('by the clock leaves an audit event only when something went; too few days are refused, and two at once', async () => {
    using directory = temporaryDirectory();
    const clock = new LaterClock();
    const opened = await openSeeded(directory.path, { clock });
    await someRequests(opened, 8);
    const old = countOf(directory.path, 'decisions');
    const { pruning, log } = pruningOf(opened, 40);
    await pruning.tick(40);
    expect([pruning.run!.decisions, log]).toEqual([0, []]);
    expect(() => pruning.begin(32, ACTOR)).toThrow(expect.objectContaining({ reason: 'invalid_value' }));
    clock.laterMs = 41 * DAY_MS;
    opened.time.confirm(clock.nowMs(), clock.monotonicMs());
    await pruning.tick(40);
    expect([pruning.run!.decisions, log]).toEqual([old, ['ledger_pruned']]);
    expect((await opened.store.listAudit(null, 1)).items).toMatchObject([
      { action: 'ledger.prune', actor: 'system', detail: { decisions: old } },
    ]);
    pruning.begin(40, ACTOR);
    expect(() => pruning.begin(40, ACTOR)).toThrow(expect.objectContaining({ reason: 'conflict' }));
    await pruning.close();
    await opened.close();
  });

  test('after a long sleep, which may be a wrong clock, only a person begins to prune', async () => {
    using directory = temporaryDirectory();
    const clock = new LaterClock();
    const before = await openSeeded(directory.path, { clock });
    await someRequests(before, 8);
    await before.close();
    clock.laterMs = 60 * DAY_MS;
    const opened = await openSeeded(directory.path, { clock });
    expect(Math.round(opened.time.sleptMs / DAY_MS)).toBe(60);
    const { pruning, log } = pruningOf(opened, 40, opened.time.sleptMs);
    await pruning.tick(40);
    expect([pruning.run, log]).toEqual([null, ['ledger_prune_waits']]);
    pruning.begin(40, ACTOR);
    await pruning.ended();
    expect(pruning.run!.decisions).toBeGreaterThan(0);
    await pruning.close();
    await opened.close();
  });
});

test('a file that no newer build has opened yet has its sums checked, and a word that it has no chain', async () => {
  using directory = temporaryDirectory();
  const opened = await openSeeded(directory.path);
  await someRequests(opened, 8);
  await opened.close();
  const db = new Database(ledgerPath(directory.path));
  for (const table of [
    'chain_keys',
    'chain_links',
    'chain_anchors',
    'prunings',
    'archived_rollups',
    'archived_balances',
    'archived_doubts',
  ])
    db.run(`DROP TABLE ${table}`);
  expect(verify(directory.path)).toMatchObject({ findings: [], notes: [expect.stringContaining('before there was a chain')], head: null });
  db.run('UPDATE usage_rollups SET requests = requests + 1');
  expect(verify(directory.path).findings[0]).toMatchObject({ kind: 'rollup' });
  db.close();
});

test('a data directory of before the chain begins it where it stands, and its older rows can be pruned', async () => {
  using directory = temporaryDirectory();
  const clock = new LaterClock();
  let opened = await openSeeded(directory.path, { clock });
  await someRequests(opened, 20);
  const inFlight = await opened.ledger.admit(candidate(), 1, always(allowed()));
  await opened.ledger.drain();
  await opened.close();
  const db = new Database(ledgerPath(directory.path));
  for (const table of ['chain_keys', 'chain_links', 'chain_anchors']) db.run(`DELETE FROM ${table}`);
  db.close();
  opened = await openSeeded(directory.path, { clock });
  await someRequests(opened, 6);
  clock.laterMs = 41 * DAY_MS;
  opened.time.confirm(clock.nowMs(), clock.monotonicMs());
  await opened.ledger.drain();
  expect(verify(directory.path)).toMatchObject({ findings: [], notes: [expect.stringMatching(/up to seq \d+ are older than the chain/)] });
  const old = olderThan(directory.path, opened.ledger.nowMs());
  expect((await prune(opened)).decisions).toBe(old);
  expect(await opened.store.getDecision(inFlight.seq)).toBeNull();
  await opened.close();
  expect(verify(directory.path).findings).toEqual([]);
});
