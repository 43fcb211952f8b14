import type { AuditEvent } from '../store.ts';
import type { CommandArgs, CommandName } from './commands.ts';
import type { Fault, Stamp } from './protocol.ts';
import type { Row } from './rows.ts';
import type { Write, WriteReply } from './writer-link.ts';

const MAX_ROWS = 1_024;
const LINGER_MS = 20;
const PROBE_MS = 100;

/** What became of an item. */
export type ItemOutcome =
  { readonly committed: true; readonly value: unknown } | { readonly committed: false; readonly message: string; readonly fault: Fault };

/** An operator's write, ready to be sent. */
export interface CommandCall<Name extends CommandName = CommandName> {
  readonly name: Name;
  readonly args: CommandArgs<Name>;
  readonly audit: AuditEvent | null;
}

/** Something that waits to be committed. */
export interface QueueItem {
  /** The greatest seq that it takes. */
  readonly seq: number;
  readonly atMs: number;
  /** A row, or a command that is a transaction of its own. */
  readonly write: Row | CommandCall;
  /** True for what must not be lost: after a failure it goes first in the next try. */
  readonly kept: boolean;
  /** True when somebody waits for it; else it rides with the next one that is, or leaves after 20 ms. */
  readonly urgent: boolean;
  /** True when nobody wants it any more: it is left out, and hears nothing. */
  readonly cancelled: boolean;
  /** Called once, when the outcome is known. */
  done(outcome: ItemOutcome): void;
}

/** What a queue needs. */
export interface CommitQueueOptions {
  readonly send: (write: Write) => void;
  /** The number of the last committed transaction. */
  readonly lastBatch: number;
  /** Called with a row that the database refused. */
  readonly onRefused: (item: QueueItem, message: string) => void;
}

/**
 * Strict first in, first out, with one transaction on its way at a time: what arrives meanwhile is the next one.
 * After a failure everything that can be lost is told so, the rest is tried again before anything new.
 */
export class CommitQueue {
  #waiting: QueueItem[] = [];
  #inFlight: QueueItem[] | null = null;
  #batch: number;
  #healthy = true;
  #sendSoon = false;
  #urgentWaiting = 0;
  #linger: Timer | null = null;
  #probe: Timer | null = null;
  #pushed = 0;
  /** Who waits until everything up to a count of pushed items is done, in that order. */
  #drains: { readonly upTo: number; readonly resolve: () => void }[] = [];

  constructor(readonly options: CommitQueueOptions) {
    this.#batch = options.lastBatch;
  }

  /** False from a failed commit until one succeeds again. */
  get healthy(): boolean {
    return this.#healthy;
  }

  /** Items that are not yet known to be committed. */
  get length(): number {
    return this.#waiting.length + (this.#inFlight?.length ?? 0);
  }

  /** Whether the item is on its way, so that its outcome must be awaited. */
  isInFlight(item: QueueItem): boolean {
    return this.#inFlight?.includes(item) ?? false;
  }

  push(item: QueueItem): void {
    this.#waiting.push(item);
    this.#pushed++;
    if (item.urgent) this.#urgentWaiting++;
    if (this.#inFlight || !this.#healthy) return;
    if (item.urgent) this.#soon();
    else this.#linger ??= setTimeout(() => this.#sendNext(), LINGER_MS);
  }

  /** Sends what lingers, and resolves when the outcome of everything that was pushed before is known and on disk. */
  drain(): Promise<void> {
    if (this.length === 0) return Promise.resolve();
    if (!this.#inFlight && this.#healthy) this.#soon();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#drains.push({ upTo: this.#pushed, resolve });
    return promise;
  }

  /** Takes the reply to the write on its way. */
  receive(reply: WriteReply): void {
    const items = this.#inFlight ?? [];
    this.#inFlight = null;
    if (reply.kind === 'committed') this.#committed(items, reply);
    else this.#failed(items, reply.message, reply.fault);
    this.#tellDrains();
  }

  /** The writer died: nothing is admitted until its successor has answered. */
  becomeUnhealthy(): void {
    this.#healthy = false;
    this.#failWaiting('the writer died');
    // With a write on its way, the successor's answer to that is the probe.
    if (!this.#inFlight) this.#probeLater();
  }

  /** Stops the timers. Nothing may be pushed after this. */
  stop(): void {
    if (this.#linger) clearTimeout(this.#linger);
    if (this.#probe) clearTimeout(this.#probe);
    this.#healthy = false;
  }

  #soon(): void {
    if (this.#sendSoon) return;
    this.#sendSoon = true;
    // One message for everything that this turn of the event loop brings.
    setImmediate(() => {
      this.#sendSoon = false;
      this.#sendNext();
    });
  }

  #sendNext(): void {
    if (this.#linger) clearTimeout(this.#linger);
    this.#linger = null;
    if (this.#inFlight) return;
    const items = this.#take();
    // Where nobody wants any of it, no reply will come.
    if (items.length === 0) return this.#tellDrains();
    this.#inFlight = items;
    this.options.send(toWrite(items, ++this.#batch));
  }

  #tellDrains(): void {
    const done = this.#pushed - this.length;
    while (this.#drains.length > 0 && this.#drains[0]!.upTo <= done) this.#drains.shift()!.resolve();
  }

  /** The next transaction: one command, or rows up to the next command. */
  #take(): QueueItem[] {
    const waiting = this.#waiting;
    let end = 0;
    while (end < waiting.length && end < MAX_ROWS && !isCommand(waiting[end]!.write)) end++;
    if (end === 0 && waiting.length > 0) end = 1;
    const taken = end === waiting.length ? waiting : waiting.slice(0, end);
    this.#waiting = end === waiting.length ? [] : waiting.slice(end);
    for (const item of taken) if (item.urgent) this.#urgentWaiting--;
    const wanted = taken.filter((item) => !item.cancelled);
    return wanted.length === 0 && this.#waiting.length > 0 ? this.#take() : wanted;
  }

  #committed(items: readonly QueueItem[], reply: Extract<WriteReply, { kind: 'committed' }>): void {
    this.#healthy = true;
    // The writer works on while the waiters of this batch go on with their requests.
    if (this.#urgentWaiting > 0 || this.#drains.length > 0) this.#sendNext();
    else if (this.#waiting.length > 0) this.#linger ??= setTimeout(() => this.#sendNext(), LINGER_MS);
    const refused = new Map(reply.refused.map(({ index, message }) => [index, message]));
    for (const [index, item] of items.entries()) {
      const message = refused.get(index);
      if (message === undefined) item.done({ committed: true, value: reply.value });
      else this.#refuse(item, message);
    }
  }

  #refuse(item: QueueItem, message: string): void {
    this.options.onRefused(item, message);
    item.done({ committed: false, message, fault: 'values' });
  }

  #failed(items: readonly QueueItem[], message: string, fault: Fault): void {
    const command = items.length === 1 && isCommand(items[0]!.write);
    if (command && fault !== 'disk') {
      // The command's own fault: the ledger is well.
      this.#committed([], { kind: 'committed', batch: this.#batch, refused: [], value: null });
      items[0]!.done({ committed: false, message, fault });
      return;
    }
    this.#healthy = false;
    this.#waiting = [...items.filter((item) => item.kept), ...this.#waiting];
    for (const item of items) if (!item.kept) item.done({ committed: false, message, fault: 'disk' });
    this.#failWaiting(message);
    this.#probeLater();
  }

  #failWaiting(message: string): void {
    const waiting = this.#waiting;
    this.#waiting = waiting.filter((item) => item.kept);
    this.#urgentWaiting = 0;
    for (const item of waiting) if (!item.kept && !item.cancelled) item.done({ committed: false, message, fault: 'disk' });
  }

  #probeLater(): void {
    this.#probe ??= setTimeout(() => {
      this.#probe = null;
      this.#tryAgain();
    }, PROBE_MS);
  }

  #tryAgain(): void {
    if (this.#inFlight) return;
    this.#sendNext();
    if (this.#inFlight) return;
    this.#inFlight = [];
    this.options.send({ kind: 'probe', batch: ++this.#batch });
  }
}

function isCommand(write: Row | CommandCall): write is CommandCall {
  return !Array.isArray(write);
}

function toWrite(items: readonly QueueItem[], batch: number): Write {
  const stamp: Stamp = stampOf(items, batch);
  const first = items[0]!.write;
  if (isCommand(first)) return { kind: 'command', ...stamp, ...first };
  return { kind: 'batch', ...stamp, rows: items.map((item) => item.write as Row) };
}

function stampOf(items: readonly QueueItem[], batch: number): Stamp {
  let lastSeq = 0;
  let lastAtMs = 0;
  for (const { seq, atMs } of items) {
    if (seq > lastSeq) lastSeq = seq;
    if (atMs > lastAtMs) lastAtMs = atMs;
  }
  return { batch, lastSeq, lastAtMs };
}
