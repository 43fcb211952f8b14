import type { QueryArgs, QueryName, QueryResult } from './queries.ts';
import type { ReaderReply, ReaderRequest } from './serve-reader.ts';

/** The main thread's end of the reader Worker. A reader that dies fails what it was asked and is replaced. */
export class ReaderLink {
  #worker: Worker;
  #lastId = 0;
  #closed: PromiseWithResolvers<void> | null = null;
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>();

  constructor(
    readonly url: string,
    readonly path: string,
    /** For long work: its thread lets requests go first. */
    readonly isBackground = false,
  ) {
    this.#worker = this.#start();
  }

  /** Runs a named query. Rejects when it fails. */
  ask<Name extends QueryName>(name: Name, args: QueryArgs<Name>): Promise<QueryResult<Name>> {
    if (this.#closed) return Promise.reject(new Error('the ledger is closed'));
    const id = ++this.#lastId;
    const asked = Promise.withResolvers<unknown>();
    this.#asked.set(id, asked);
    post(this.#worker, { kind: 'query', id, name, args });
    return asked.promise as Promise<QueryResult<Name>>;
  }

  /** Lets the queries before it finish, closes the connection and waits until the Worker has ended. */
  close(): Promise<void> {
    this.#closed ??= Promise.withResolvers<void>();
    post(this.#worker, { kind: 'close' });
    return this.#closed.promise;
  }

  /** Like `close`, but waits no longer than `waitMs`: what is still read then ends with the process. */
  async closeWithin(waitMs: number): Promise<void> {
    const late = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => late.resolve(true), waitMs);
    const isLate = await Promise.race([this.close().then(() => false), late.promise]);
    clearTimeout(timer);
    if (isLate) this.#worker.unref();
  }

  #start(): Worker {
    const worker = new Worker(this.url);
    worker.addEventListener('message', (event: MessageEvent<ReaderReply>) => this.#receive(event.data));
    worker.addEventListener('error', (event) => this.#died(worker, event.message));
    worker.addEventListener('close', () => this.#died(worker, 'the reader ended'));
    post(worker, { kind: 'open', path: this.path, isBackground: this.isBackground });
    return worker;
  }

  #receive(reply: ReaderReply): void {
    const asked = this.#asked.get(reply.id);
    this.#asked.delete(reply.id);
    if (reply.kind === 'result') asked?.resolve(reply.value);
    else asked?.reject(new Error(reply.message));
  }

  #died(worker: Worker, why: string): void {
    if (worker !== this.#worker) return;
    for (const asked of this.#asked.values()) asked.reject(new Error(why));
    this.#asked.clear();
    if (this.#closed) this.#closed.resolve();
    else this.#worker = this.#start();
  }
}

function post(worker: Worker, request: ReaderRequest): void {
  worker.postMessage(request, []);
}
