import { describe, expect, test } from 'bun:test';
import { CommitQueue, type ItemOutcome, type QueueItem } from '../../src/ledger/sqlite/commit-queue.ts';
import type { Row } from '../../src/ledger/sqlite/rows.ts';
import type { Write } from '../../src/ledger/sqlite/writer-link.ts';

/** An item that remembers what it heard. */
class Item implements QueueItem {
  readonly atMs = 1;
  readonly heard: boolean[] = [];
  readonly write: QueueItem['write'];
  cancelled = false;

  constructor(
    readonly seq: number,
    readonly kind: 'admission' | 'settlement' | 'command',
  ) {
    this.write = kind === 'command' ? { name: 'deleteAlert', args: 1, audit: null } : ([0, seq] satisfies Row);
  }

  get kept(): boolean {
    return this.kind === 'settlement';
  }

  get urgent(): boolean {
    return this.kind !== 'settlement';
  }

  done(outcome: ItemOutcome): void {
    this.heard.push(outcome.committed);
  }
}

/** A queue whose writer is the test: `next` waits for what it sends. */
function watched(): { queue: CommitQueue; sent: Write[]; next: () => Promise<number[] | string> } {
  const sent: Write[] = [];
  let arrived = Promise.withResolvers<void>();
  const send = (write: Write) => {
    sent.push(write);
    arrived.resolve();
  };
  const next = async () => {
    await arrived.promise;
    arrived = Promise.withResolvers<void>();
    const write = sent[sent.length - 1]!;
    return write.kind === 'batch' ? write.rows.map((row) => row[1] as number) : write.kind;
  };
  return { queue: new CommitQueue({ send, lastBatch: 7, onRefused: () => {} }), sent, next };
}

function commit(queue: CommitQueue, sent: readonly Write[]): void {
  queue.receive({ kind: 'committed', batch: sent[sent.length - 1]!.batch, refused: [], value: null });
}

function fail(queue: CommitQueue, sent: readonly Write[]): void {
  queue.receive({ kind: 'failed', batch: sent[sent.length - 1]!.batch, message: 'no', fault: 'disk' });
}

describe('the commit queue', () => {
  test('sends what one turn brings as one transaction, and the rest only after its reply', async () => {
    const { queue, sent, next } = watched();
    queue.push(new Item(1, 'admission'));
    queue.push(new Item(2, 'admission'));
    expect(await next()).toEqual([1, 2]);
    queue.push(new Item(3, 'admission'));
    queue.push(new Item(4, 'settlement'));
    await Bun.sleep(30);
    expect(sent).toHaveLength(1);
    commit(queue, sent);
    expect(await next()).toEqual([3, 4]);
    expect(sent.map(({ batch }) => batch)).toEqual([8, 9]);
  });

  test('settlements ride with the next admission, or leave by themselves', async () => {
    const { queue, sent, next } = watched();
    queue.push(new Item(1, 'settlement'));
    queue.push(new Item(2, 'admission'));
    expect(await next()).toEqual([1, 2]);
    commit(queue, sent);
    queue.push(new Item(3, 'settlement'));
    expect(await next()).toEqual([3]);
  });

  test('a command is a transaction of its own, in its place', async () => {
    const { queue, sent, next } = watched();
    for (const item of [new Item(1, 'admission'), new Item(4, 'command'), new Item(5, 'admission')]) queue.push(item);
    expect(await next()).toEqual([1]);
    commit(queue, sent);
    expect(await next()).toBe('command');
    commit(queue, sent);
    expect(await next()).toEqual([5]);
  });

  test('after a failure admissions are refused, and settlements go before anything new', async () => {
    const { queue, sent, next } = watched();
    const items = [new Item(1, 'settlement'), new Item(2, 'admission'), new Item(3, 'settlement')] as const;
    for (const item of items) queue.push(item);
    await next();
    const waiting = [new Item(4, 'settlement'), new Item(5, 'admission'), new Item(6, 'command')] as const;
    for (const item of waiting) queue.push(item);
    fail(queue, sent);
    expect(queue.healthy).toBe(false);
    expect([items[1], waiting[1], waiting[2]].map(({ heard }) => heard)).toEqual([[false], [false], [false]]);
    expect(await next()).toEqual([1, 3, 4]);
    commit(queue, sent);
    expect(queue.healthy).toBe(true);
    expect([items[0], items[2], waiting[0]].map(({ heard }) => heard)).toEqual([[true], [true], [true]]);
    queue.push(new Item(7, 'admission'));
    expect(await next()).toEqual([7]);
  });

  test('with nothing to try again it probes until writing works', async () => {
    const { queue, sent, next } = watched();
    queue.push(new Item(1, 'admission'));
    await next();
    fail(queue, sent);
    expect(await next()).toBe('probe');
    fail(queue, sent);
    expect(await next()).toBe('probe');
    commit(queue, sent);
    expect(queue.healthy).toBe(true);
  });

  test('what was cancelled is left out and hears nothing', async () => {
    const { queue, sent, next } = watched();
    queue.push(new Item(1, 'admission'));
    await next();
    const cancelled = new Item(2, 'admission');
    queue.push(cancelled);
    queue.push(new Item(3, 'admission'));
    cancelled.cancelled = true;
    commit(queue, sent);
    expect(await next()).toEqual([3]);
    expect(cancelled.heard).toEqual([]);
  });

  test('drain does not wait for what nobody wants any more', async () => {
    const { queue, sent } = watched();
    const given = new Item(1, 'admission');
    queue.push(given);
    const drained = queue.drain();
    given.cancelled = true;
    await drained;
    expect([queue.length, sent.length, given.heard]).toEqual([0, 0, []]);
  }, 1_000);

  test('drain waits for what was pushed before it, not for what comes after', async () => {
    const { queue, sent, next } = watched();
    queue.push(new Item(1, 'settlement'));
    const drained = queue.drain();
    expect(await next()).toEqual([1]);
    queue.push(new Item(2, 'settlement'));
    commit(queue, sent);
    await drained;
    expect(queue.length).toBe(1);
  });
});
