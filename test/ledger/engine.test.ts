import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { statSync } from 'node:fs';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { allowed, always, candidate, denied, openSeeded, settlement, temporaryDirectory } from './harness.ts';

describe('a ledger on SQLite', () => {
  test('gives back what it recorded, fact for fact', async () => {
    using directory = temporaryDirectory();
    const { ledger, store, close } = await openSeeded(directory.path);
    const facts = candidate({
      route: 'responses',
      requestedModel: 'openai/gpt-4.1-mini',
      models: ['gpt-4.1-mini', 'o4-mini'],
      modelKnown: false,
      endUser: 'user-7',
      storedReferences: ['resp_1'],
      repeatedToolCalls: 3,
    });
    const observed = [{ ...denied().finding, control: 'burst', reason: 'burst_protection' } as const];
    const decision = await ledger.admit(facts, 4, always(allowed({ outputCap: 1_024, draws: 'credit', observed })));
    const ending = settlement(decision, { outcome: 'client_aborted', basis: 'estimated', responseId: 'resp_2', overrun: true });
    ledger.settle(ending);
    const found = await store.getDecision(decision.seq);
    expect(found?.decision).toEqual(decision);
    expect(found?.settlement).toMatchObject(ending);
    expect(await store.projectOfResponse('resp_2')).toBe(1);
    expect(await store.projectOfResponse('resp_3')).toBeNull();
    await close();
  });

  test('an allow that has resolved is in the file, denials and settlements follow by themselves', async () => {
    using directory = temporaryDirectory();
    const { ledger, close } = await openSeeded(directory.path);
    const db = new Database(ledgerPath(directory.path), { readonly: true });
    const decision = await ledger.admit(candidate(), 1, always(allowed()));
    expect(db.query('SELECT count(*) AS n FROM decisions').get()).toEqual({ n: 1 });
    ledger.settle(settlement(decision));
    await ledger.drain();
    expect(db.query('SELECT count(*) AS n FROM settlements').get()).toEqual({ n: 1 });
    db.close();
    await close();
  });

  test('a thousand admissions at once are committed in the order of their seqs, in few transactions', async () => {
    using directory = temporaryDirectory();
    const { ledger, close } = await openSeeded(directory.path);
    const db = new Database(ledgerPath(directory.path), { readonly: true });
    const before = db.query<{ batch: number }, []>('SELECT batch FROM checkpoint').get()!.batch;
    const order: number[] = [];
    const admissions = Array.from({ length: 1_000 }, async () => order.push((await ledger.admit(candidate(), 1, always(allowed()))).seq));
    await Promise.all(admissions);
    const after = db.query<{ batch: number }, []>('SELECT batch FROM checkpoint').get()!.batch;
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(after - before).toBeLessThan(10);
    db.close();
    await close();
  });

  test('settling twice is one settlement', async () => {
    using directory = temporaryDirectory();
    const { ledger, store, close } = await openSeeded(directory.path);
    const decision = await ledger.admit(candidate(), 1, always(allowed()));
    ledger.settle(settlement(decision, { costNanoUsd: 5 }));
    ledger.settle(settlement(decision, { costNanoUsd: 7 }));
    expect((await store.getDecision(decision.seq))?.settlement?.costNanoUsd).toBe(5);
    expect(await store.usage({ groupBy: ['reason'] })).toMatchObject([{ reason: 'completed', requests: 1, costNanoUsd: 5 }]);
    await close();
  });

  test('equal denials become one row with a count, others stay apart', async () => {
    using directory = temporaryDirectory();
    const { ledger, store, close } = await openSeeded(directory.path);
    const deny = always(denied());
    const seqs = new Set<number>();
    for (let round = 0; round < 500; round++) seqs.add((await ledger.admit(candidate(), 1, deny)).seq);
    const other = await ledger.admit(candidate({ ip: '198.51.100.1' }), 1, deny);
    expect(seqs.size).toBe(1);
    const { items } = await store.listDecisions({ allowed: false }, null, 10);
    expect(items.map(({ decision, count }) => [decision.seq, count])).toEqual([
      [other.seq, 1],
      [[...seqs][0]!, 500],
    ]);
    expect(await store.usage({ groupBy: ['reason'] })).toMatchObject([{ reason: 'project_budget', requests: 501, costNanoUsd: 0 }]);
    await close();
  });

  test('more waiting admissions than allowed are refused as overloaded', async () => {
    using directory = temporaryDirectory();
    const { ledger, memory, close } = await openSeeded(directory.path, { maxWaiting: 3 });
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => ledger.admit(candidate(), 1, always(allowed()))));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected']);
    expect(results[4]).toMatchObject({ reason: { name: 'LedgerUnavailable', reason: 'overloaded' } });
    expect(memory.openCount).toBe(3);
    await close();
  });

  test('lists by filter and cursor, newest first', async () => {
    using directory = temporaryDirectory();
    const { ledger, store, close } = await openSeeded(directory.path);
    const seqs: number[] = [];
    for (const model of ['a', 'b', 'a', 'b', 'a'])
      seqs.push((await ledger.admit(candidate({ model, models: [model] }), 1, always(allowed()))).seq);
    const first = await store.listDecisions({ model: 'a' }, null, 2);
    expect(first.items.map(({ decision }) => decision.seq)).toEqual([seqs[4]!, seqs[2]!]);
    const second = await store.listDecisions({ model: 'a' }, first.nextCursor, 2);
    expect(second.items.map(({ decision }) => decision.seq)).toEqual([seqs[0]!]);
    expect(second.nextCursor).toBeNull();
    const { atMs } = first.items[0]!.decision;
    expect((await store.listDecisions({ fromMs: atMs + 1 }, null, 9)).items).toEqual([]);
    expect((await store.listDecisions({ toMs: atMs + 1 }, null, 9)).items).toHaveLength(5);
    expect((await store.listDecisions({ environment: 'test' }, null, 9)).items).toEqual([]);
    await close();
  });

  test('after close nothing is admitted, and the log is empty', async () => {
    using directory = temporaryDirectory();
    const { ledger, close } = await openSeeded(directory.path);
    await ledger.admit(candidate(), 1, always(allowed()));
    await close();
    expect(ledger.available).toBe(false);
    expect(ledger.admit(candidate(), 1, always(allowed()))).rejects.toMatchObject({ reason: 'shutting_down' });
    expect(statSync(`${ledgerPath(directory.path)}-wal`, { throwIfNoEntry: false })?.size ?? 0).toBe(0);
  });
});
