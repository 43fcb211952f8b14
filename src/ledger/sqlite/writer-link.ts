import type { Clock } from '../../clock.ts';
import type { ChainSeals } from './chain/key.ts';
import {
  encodeBatch,
  type BatchRequest,
  type Checkpoint,
  type CommandRequest,
  type ProbeRequest,
  type WriterReply,
  type WriterRequest,
} from './protocol.ts';

const RESTART_MS = 100;

/** A write whose reply is awaited. */
export type Write = BatchRequest | CommandRequest | ProbeRequest;

/** The reply to a write. */
export type WriteReply = Extract<WriterReply, { kind: 'committed' | 'failed' }>;

/** What a link needs. */
export interface WriterLinkOptions {
  /** The address of the Worker's entry file. */
  readonly url: string;
  /** The ledger's file. */
  readonly path: string;
  readonly clock: Clock;
  readonly seals: ChainSeals;
  /** Called once for each write, also when the Worker died over it: its successor then tells what became of the write. */
  readonly onReply: (reply: WriteReply) => void;
  /** Called when the Worker died. */
  readonly onDeath: () => void;
}

/** The main thread's end of the writer Worker. At most one write is on its way at any time. */
export class WriterLink {
  #worker: Worker | null = null;
  #inFlight: Write | null = null;
  #opened: PromiseWithResolvers<Checkpoint> | null = null;
  #closed: PromiseWithResolvers<void> | null = null;

  constructor(readonly options: WriterLinkOptions) {}

  /** Starts the Worker, opens and migrates the database. Rejects when that fails. */
  start(): Promise<Checkpoint> {
    const opened = Promise.withResolvers<Checkpoint>();
    this.#opened = opened;
    const worker = new Worker(this.options.url);
    this.#worker = worker;
    worker.addEventListener('message', (event: MessageEvent<WriterReply>) => this.#receive(event.data));
    worker.addEventListener('error', (event) => this.#died(worker, event.message));
    worker.addEventListener('close', () => this.#died(worker, 'the writer ended'));
    this.#post({ kind: 'open', path: this.options.path, nowMs: this.options.clock.nowMs(), sealKeys: this.options.seals.keys });
    return opened.promise;
  }

  /** Sends a write. The reply comes through `onReply`. */
  send(write: Write): void {
    this.#inFlight = write;
    // While a dead Worker is replaced there is none: its successor answers for the write.
    if (!this.#opened) this.#post(write);
  }

  /** Asks the Worker to close the database and waits until it has ended. */
  async close(): Promise<void> {
    this.#closed ??= Promise.withResolvers<void>();
    if (!this.#worker) return;
    this.#post({ kind: 'close' });
    await this.#closed.promise;
  }

  #post(request: WriterRequest): void {
    this.#worker?.postMessage(request.kind === 'batch' ? encodeBatch(request) : request);
  }

  #receive(reply: WriterReply): void {
    if (reply.kind === 'closed') return;
    if (reply.kind === 'opened') return this.#isOpen(reply.checkpoint);
    if (this.#opened) return this.#refuseOpening(reply);
    this.#inFlight = null;
    this.options.onReply(reply);
  }

  #isOpen(checkpoint: Checkpoint): void {
    this.#opened?.resolve(checkpoint);
    this.#opened = null;
    const write = this.#inFlight;
    if (!write) return;
    this.#inFlight = null;
    const { batch } = write;
    if (write.kind !== 'probe' && checkpoint.batch >= batch) this.options.onReply({ kind: 'committed', batch, refused: [], value: null });
    else this.options.onReply({ kind: 'failed', batch, message: 'the writer died', fault: 'disk' });
  }

  #refuseOpening(reply: WriterReply): void {
    const message = reply.kind === 'failed' ? reply.message : 'the ledger did not open';
    this.#opened?.reject(Object.assign(new Error(message), { code: 'LEDGER_NOT_OPENED' }));
  }

  #died(worker: Worker, why: string): void {
    if (worker !== this.#worker) return;
    this.#worker = null;
    if (this.#closed) return this.#closed.resolve();
    // While it opens, whoever started it decides what comes next.
    if (this.#opened) return this.#opened.reject(new Error(why));
    this.options.onDeath();
    this.#restart();
  }

  #restart(): void {
    // Set at once, so that writes wait for the successor.
    this.#opened = Promise.withResolvers<Checkpoint>();
    this.#opened.promise.catch(() => {});
    setTimeout(() => {
      if (this.#closed) return;
      this.start().catch(() => this.#abandon());
    }, RESTART_MS);
  }

  #abandon(): void {
    this.#worker?.postMessage({ kind: 'close' } satisfies WriterRequest);
    this.#worker = null;
    this.#restart();
  }
}
