import { describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LedgerUnavailable } from '../../src/ledger/ledger.ts';
import type { OpenLedger } from '../../src/ledger/sqlite/open-ledger.ts';
import { verifyLedger } from '../../src/ledger/sqlite/verify.ts';
import { TEST_SEAL_KEYS } from '../support/seal-keys.ts';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { allowed, always, candidate, openSeeded, settlement, temporaryDirectory } from './harness.ts';

const writerUrl = new URL('./workers/faulty-writer.ts', import.meta.url).href;
const admit = ({ ledger }: OpenLedger) => ledger.admit(candidate(), 1, always(allowed()));

/** What the next transaction shall suffer. */
function fault(dataDir: string, words: string): void {
  writeFileSync(join(dataDir, 'fault'), words);
}

/** Resolves when the ledger says that it is (un)available. */
function health(): { events: { onRefusedRow: () => void; onHealth: (available: boolean) => void }; well: () => Promise<void> } {
  let well = Promise.withResolvers<void>();
  const onHealth = (available: boolean) => {
    if (available) well.resolve();
    else well = Promise.withResolvers<void>();
  };
  return { events: { onRefusedRow: () => {}, onHealth }, well: () => well.promise };
}

describe('when a commit does not come', () => {
  test('the caller is refused at the deadline, the hold stays, and what was committed after all costs nothing', async () => {
    using directory = temporaryDirectory();
    const opened = await openSeeded(directory.path, { writerUrl, commitDeadlineMs: 150 });
    const { ledger, memory, store } = opened;
    fault(directory.path, 'stall 500');
    const started = performance.now();
    const refused = admit(opened);
    expect(refused).rejects.toBeInstanceOf(LedgerUnavailable);
    await refused.catch(() => {});
    expect(performance.now() - started).toBeLessThan(450);
    expect(memory.openCount).toBe(1);
    expect(ledger.available).toBe(false);
    expect(admit(opened)).rejects.toMatchObject({ reason: 'ledger_unavailable' });
    await ledger.drain();
    // Its settlement was made by the answer that the drain waited for.
    await ledger.drain();
    expect(memory.openCount).toBe(0);
    expect(ledger.available).toBe(true);
    const { items } = await store.listDecisions({}, null, 10);
    expect(items.map((item) => item.settlement?.outcome)).toEqual(['not_sent']);
    expect(items[0]!.settlement?.costNanoUsd).toBe(0);
    await opened.close();
  });

  test('an admission that was not even sent at its deadline leaves nothing behind', async () => {
    using directory = temporaryDirectory();
    const opened = await openSeeded(directory.path, { writerUrl, commitDeadlineMs: 100 });
    fault(directory.path, 'stall 400');
    const first = admit(opened).catch(() => null);
    await Bun.sleep(20);
    const second = await admit(opened).catch((error: unknown) => error);
    expect(second).toBeInstanceOf(LedgerUnavailable);
    expect(opened.memory.openCount).toBe(1);
    await first;
    await opened.ledger.drain();
    expect((await opened.store.listDecisions({}, null, 10)).items).toHaveLength(1);
    await opened.close();
  });

  test('after an error at the commit the file is asked what became of it', async () => {
    using directory = temporaryDirectory();
    const opened = await openSeeded(directory.path, { writerUrl });
    fault(directory.path, 'uncertain');
    const decision = await admit(opened);
    expect((await opened.store.getDecision(decision.seq))?.decision).toEqual(decision);
    await opened.close();
  });

  test('and when the file does not have it, the hold is undone', async () => {
    using directory = temporaryDirectory();
    const { events, well } = health();
    const opened = await openSeeded(directory.path, { writerUrl, events });
    fault(directory.path, 'lost 0');
    const refused = opened.ledger.admit(candidate({ requestedModel: 'x'.repeat(20_000) }), 1, always(allowed()));
    expect(await refused.catch((error: unknown) => error)).toMatchObject({ cause: { message: 'disk I/O error' } });
    expect(opened.memory.openCount).toBe(0);
    await well();
    await admit(opened);
    expect((await opened.store.listDecisions({}, null, 10)).items).toHaveLength(1);
    await opened.close();
  });

  test('a writer that dies refuses its waiters, its successor goes on', async () => {
    using directory = temporaryDirectory();
    const { events, well } = health();
    const opened = await openSeeded(directory.path, { writerUrl, events });
    const before = await admit(opened);
    fault(directory.path, 'die');
    expect(await admit(opened).catch((error: unknown) => error)).toBeInstanceOf(LedgerUnavailable);
    opened.ledger.settle(settlement(before));
    await well();
    const after = await admit(opened);
    expect(after.seq).toBeGreaterThan(before.seq);
    expect((await opened.store.getDecision(before.seq))?.settlement?.outcome).toBe('completed');
    expect(opened.memory.openCount).toBe(1);
    await opened.close();
  });

  test('a full file refuses at once, keeps settlements for later, and heals when there is room', async () => {
    using directory = temporaryDirectory();
    const { events, well } = health();
    const opened = await openSeeded(directory.path, { writerUrl, events });
    const decision = await admit(opened);
    fault(directory.path, 'small 0');
    const long = 'x'.repeat(20_000);
    const refused = opened.ledger.admit(candidate({ requestedModel: long }), 1, always(allowed()));
    expect(await refused.catch((error: unknown) => error)).toMatchObject({
      name: 'LedgerUnavailable',
      cause: { message: 'database or disk is full' },
    });
    expect(opened.ledger.available).toBe(false);
    opened.ledger.settle(settlement(decision, { responseId: long }));
    fault(directory.path, 'small 100000');
    await well();
    expect((await opened.store.getDecision(decision.seq))?.settlement?.responseId).toBe(long);
    expect(opened.memory.openCount).toBe(0);
    await opened.close();
    expect(verifyLedger(ledgerPath(directory.path), { sealKeys: TEST_SEAL_KEYS })).toEqual([]);
  });

  test('one bad row does not sink the others', async () => {
    using directory = temporaryDirectory();
    const refused: number[] = [];
    const events = { onRefusedRow: (seq: number) => void refused.push(seq), onHealth: () => {} };
    const opened = await openSeeded(directory.path, { events });
    const bad = opened.ledger.admit(candidate({ keyId: 999 }), 1, always(allowed()));
    const good = [admit(opened), admit(opened)];
    expect(await bad.catch((error: unknown) => error)).toBeInstanceOf(LedgerUnavailable);
    const [first, second] = await Promise.all(good);
    expect(refused).toEqual([first!.seq - 1]);
    expect(opened.ledger.available).toBe(true);
    expect(opened.memory.openCount).toBe(2);
    for (const decision of [first!, second!]) opened.ledger.settle(settlement(decision));
    await opened.close();
    expect(verifyLedger(ledgerPath(directory.path), { sealKeys: TEST_SEAL_KEYS })).toEqual([]);
  });
});
