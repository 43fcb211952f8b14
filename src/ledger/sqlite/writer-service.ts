import type { Database } from 'bun:sqlite';
import { prepareChain } from './chain/links.ts';
import { commandContext, commands, seqsOf, writeAudit, type CommandContext } from './commands.ts';
import { makeCheckpoint, migrate } from './migrate.ts';
import { openForWriting } from './open.ts';
import type { BatchRequest, CommandRequest, OpenRequest, RefusedRow, WriterReply, WriterRequest } from './protocol.ts';
import { faultOf, messageOf, Transactor, type Ending } from './transactor.ts';

const FIRST_BACKOFF_MS = 20;
const LAST_BACKOFF_MS = 1_000;

/** What a transaction leaves to tell. */
interface Written {
  readonly refused: readonly RefusedRow[];
  readonly value: unknown;
}

const NOTHING: Written = { refused: [], value: null };

/** Where a test may step in. The program passes none of these. */
export interface WriterHooks {
  /** After each opening of the database. */
  readonly opened?: (db: Database) => void;
  /** Before each transaction. */
  readonly before?: (db: Database) => void | Promise<void>;
  /** After each transaction: may turn its ending into another. */
  readonly ended?: <Value>(ending: Ending<Value>) => Ending<Value>;
}

/**
 * The writer's side of the protocol. The main thread waits for the reply to a request before it sends the next,
 * so requests never interleave here.
 */
export class WriterService {
  #path = '';
  #chainKey: Uint8Array = new Uint8Array();
  #transactor: Transactor | null = null;

  constructor(readonly hooks: WriterHooks = {}) {}

  /** Answers one request. Never rejects: what fails becomes a reply, or is tried until its outcome is known. */
  async handle(request: WriterRequest): Promise<WriterReply> {
    switch (request.kind) {
      case 'open':
        return this.#open(request);
      case 'probe':
        return this.#probe(request.batch);
      case 'close':
        this.#transactor?.emptyLog();
        this.#close();
        return { kind: 'closed' };
      default:
        return this.#write(request);
    }
  }

  async #open(request: OpenRequest): Promise<WriterReply> {
    this.#path = request.path;
    const db = openForWriting(request.path);
    migrate(db, request.nowMs);
    makeCheckpoint(db);
    this.#chainKey = prepareChain(db, request.sealKeys, request.nowMs);
    this.#take(db);
    // What a dead predecessor left unmarked in the log is overwritten by this, so that the checkpoint tells the truth.
    this.#living().probe();
    return { kind: 'opened', checkpoint: this.#living().checkpoint() };
  }

  #probe(batch: number): WriterReply {
    try {
      this.#living().probe();
      return { kind: 'committed', batch, refused: [], value: null };
    } catch (error) {
      return { kind: 'failed', batch, message: messageOf(error), fault: 'disk' };
    }
  }

  async #write(request: BatchRequest | CommandRequest): Promise<WriterReply> {
    await this.hooks.before?.(this.#living().db);
    const ended = request.kind === 'batch' ? this.#batch(request) : this.#command(request);
    const ending = this.hooks.ended ? this.hooks.ended(ended) : ended;
    if (ending.kind === 'committed') return { kind: 'committed', batch: request.batch, ...ending.value };
    if (ending.kind === 'failed') return failed(request.batch, ending.error);
    return this.#findOut(request.batch, ending.error, ending.value ?? NOTHING);
  }

  #batch(request: BatchRequest): Ending<Written> {
    const ending = this.#living().batch(request, request.rows, request.texts);
    if (ending.kind === 'failed') return ending;
    return { ...ending, value: { refused: ending.value ?? [], value: null } };
  }

  #command(request: CommandRequest): Ending<Written> {
    const firstSeq = request.lastSeq - seqsOf(request) + 1;
    const run = commands[request.name] as (context: CommandContext, args: unknown) => unknown;
    return this.#living().command(request, firstSeq, (db) => {
      const context = commandContext(db, this.#chainKey, firstSeq, request.lastAtMs);
      const value = run(context, request.args);
      if (request.audit) writeAudit({ ...context, seq: request.lastSeq }, request.audit);
      return { refused: [], value };
    });
  }

  /** After an error that could have struck on either side of the commit: opens the file again until it tells which. */
  async #findOut(batch: number, error: unknown, written: Written): Promise<WriterReply> {
    for (let backoffMs = FIRST_BACKOFF_MS; ; backoffMs = Math.min(backoffMs * 2, LAST_BACKOFF_MS)) {
      try {
        return this.#lookUp(batch, error, written);
      } catch {
        await Bun.sleep(backoffMs);
      }
    }
  }

  #lookUp(batch: number, error: unknown, written: Written): WriterReply {
    this.#close();
    this.#take(openForWriting(this.#path));
    if (this.#living().checkpoint().batch < batch) {
      // Writing over the place in the log where the lost transaction may lie is what makes it lost for good.
      this.#living().probe();
      return failed(batch, error);
    }
    this.#living().makeDurable();
    return { kind: 'committed', batch, ...written };
  }

  #take(db: Database): void {
    this.hooks.opened?.(db);
    this.#transactor = new Transactor(db, this.#chainKey);
  }

  #living(): Transactor {
    if (!this.#transactor) throw new Error('the ledger is not open');
    return this.#transactor;
  }

  #close(): void {
    const old = this.#transactor;
    this.#transactor = null;
    old?.close();
  }
}

function failed(batch: number, error: unknown): WriterReply {
  return { kind: 'failed', batch, message: messageOf(error), fault: faultOf(error) };
}
