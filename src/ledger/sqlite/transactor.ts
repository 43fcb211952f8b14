import type { Database, Statement } from 'bun:sqlite';
import { Books } from './books.ts';
import { ChainWriter } from './chain/links.ts';
import { closeFully } from './open.ts';
import type { Checkpoint, Fault, RefusedRow, Stamp } from './protocol.ts';
import { DECISION_COLUMNS, DECISION_ROW, SETTLEMENT_COLUMNS, type Row } from './rows.ts';

/** How a transaction ended. `uncertain`: it may be on disk or not, only opening the file again can tell. */
export type Ending<Value> =
  | { readonly kind: 'committed'; readonly value: Value }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'uncertain'; readonly error: unknown; readonly value: Value | null };

/** The writable connection with its prepared statements: runs one transaction after the other, synchronously. */
export class Transactor {
  #books: Books;
  readonly #chain: ChainWriter;
  readonly #insertDecision: Statement;
  readonly #insertSettlement: Statement;
  readonly #moveCheckpoint: Statement;
  readonly #begin: Statement;
  readonly #end: Statement;

  /** `chainKey` is the key of the chain in this file, which must have been begun. */
  constructor(
    readonly db: Database,
    chainKey: Uint8Array,
  ) {
    this.#books = new Books(db);
    this.#chain = new ChainWriter(db, chainKey);
    this.#insertDecision = prepareInsert(db, 'decisions', DECISION_COLUMNS);
    this.#insertSettlement = prepareInsert(db, 'settlements', SETTLEMENT_COLUMNS);
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#end = db.prepare('COMMIT');
    this.#moveCheckpoint = db.prepare(
      'UPDATE checkpoint SET batch = ?, last_seq = max(last_seq, ?), last_at_ms = max(last_at_ms, ?), lowest_open_seq = ?',
    );
  }

  /**
   * Commits rows in their order. A row that breaks a constraint is left out and reported; the others go in.
   * `texts` are the rows as JSON, where the caller has them.
   */
  batch(stamp: Stamp, rows: readonly Row[], texts: readonly string[] | null = null): Ending<readonly RefusedRow[]> {
    const ending = this.#transaction(stamp, () => this.#insertAll(rows, texts));
    if (ending.kind !== 'failed' || !isConstraint(ending.error)) return ending;
    return this.#transaction(stamp, () => this.#insertSingly(rows));
  }

  /** Commits what `work` does. What it stored with seqs from `firstSeq` on is read back for the chain, so that no command can forget it. */
  command<Value>(stamp: Stamp, firstSeq: number, work: (db: Database) => Value): Ending<Value> {
    return this.#transaction(stamp, () => {
      const value = work(this.db);
      this.#chain.stored(firstSeq, stamp.lastSeq);
      return value;
    });
  }

  /** Commits a change without meaning. Throws when that does not work. */
  probe(): void {
    this.db.run('UPDATE checkpoint SET probes = probes + 1');
  }

  /** Moves the log into the file and syncs it: what is there then survives a power cut. Throws while a reader is in the way. */
  makeDurable(): void {
    if (this.#checkpointLog('FULL') !== 0) throw new Error('the log could not be moved into the file');
  }

  /** Where the file stands. */
  checkpoint(): Checkpoint {
    return readCheckpoint(this.db);
  }

  /** Empties the log into the file, when nobody is in the way. */
  emptyLog(): void {
    this.#checkpointLog('TRUNCATE');
  }

  /** Closes the connection with everything that hangs on it. */
  close(): void {
    this.#books.finalize();
    this.#chain.finalize();
    for (const statement of [this.#insertDecision, this.#insertSettlement, this.#moveCheckpoint, this.#begin, this.#end])
      statement.finalize();
    closeFully(this.db);
  }

  #checkpointLog(mode: 'FULL' | 'TRUNCATE'): number {
    const statement = this.db.prepare<{ busy: number }, []>(`PRAGMA wal_checkpoint(${mode})`);
    const busy = statement.get()?.busy ?? 1;
    statement.finalize();
    return busy;
  }

  #transaction<Value>(stamp: Stamp, work: () => Value): Ending<Value> {
    try {
      this.#begin.run();
      const value = work();
      this.#books.write();
      this.#chain.write(stamp.lastSeq, stamp.lastAtMs);
      this.#moveCheckpoint.run(stamp.batch, stamp.lastSeq, stamp.lastAtMs, this.#books.lowestOpenSeq(stamp.lastSeq));
      return this.#commit(value);
    } catch (error) {
      return this.#rollBack(error);
    }
  }

  #commit<Value>(value: Value): Ending<Value> {
    try {
      this.#end.run();
      this.#chain.committed();
      return { kind: 'committed', value };
    } catch (error) {
      // A full disk cuts the log before its commit mark, so nothing can come back. Any other error may have struck after it.
      return isFull(error) ? this.#rollBack(error) : { kind: 'uncertain', error, value };
    }
  }

  #rollBack(error: unknown): Ending<never> {
    try {
      if (this.db.inTransaction) this.db.run('ROLLBACK');
      this.#chain.forget();
      this.#renewBooks();
      return { kind: 'failed', error };
    } catch {
      return { kind: 'uncertain', error, value: null };
    }
  }

  /** Forgets what was counted of rows that are not there. */
  #renewBooks(): void {
    this.#books.finalize();
    this.#books = new Books(this.db);
  }

  #insertAll(rows: readonly Row[], texts: readonly string[] | null): RefusedRow[] {
    for (const [index, row] of rows.entries()) {
      this.#insert(row);
      this.#chain.row(row, texts?.[index]);
    }
    return [];
  }

  #insertSingly(rows: readonly Row[]): RefusedRow[] {
    const refused: RefusedRow[] = [];
    for (const [index, row] of rows.entries()) {
      this.db.run('SAVEPOINT row');
      try {
        this.#insert(row);
        this.#books.write();
        this.#chain.row(row);
      } catch (error) {
        if (!isConstraint(error)) throw error;
        this.db.run('ROLLBACK TO row');
        this.#renewBooks();
        refused.push({ index, message: messageOf(error) });
      }
      this.db.run('RELEASE row');
    }
    return refused;
  }

  #insert(row: Row): void {
    if (row[0] === DECISION_ROW) {
      this.#insertDecision.run(row);
      this.#books.decision(row);
    } else {
      this.#insertSettlement.run(row);
      this.#books.settlement(row);
    }
  }
}

/** Where a ledger stands. */
export function readCheckpoint(db: Database): Checkpoint {
  const statement = db.prepare<Checkpoint, []>(
    'SELECT batch, last_seq AS lastSeq, last_at_ms AS lastAtMs, lowest_open_seq AS lowestOpenSeq FROM checkpoint WHERE id = 1',
  );
  const row = statement.get();
  statement.finalize();
  if (!row) throw new Error('the ledger has no checkpoint');
  return row;
}

/** Whose fault an error is. What SQLite says without a code that we know is the disk's: then nothing is admitted until it is well. */
export function faultOf(error: unknown): Fault {
  const code = codeOfError(error);
  if (code.startsWith('SQLITE_CONSTRAINT') || code === 'SQLITE_MISMATCH') return 'values';
  return code === '' || code === 'SQLITE_ERROR' || code === 'SQLITE_RANGE' || code === 'SQLITE_TOOBIG' ? 'program' : 'disk';
}

function isConstraint(error: unknown): boolean {
  return faultOf(error) === 'values';
}

/** An error's text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isFull(error: unknown): boolean {
  return codeOfError(error) === 'SQLITE_FULL';
}

function codeOfError(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Takes a row as it is: its kind, at 1, is bound but not used. */
function prepareInsert(db: Database, table: string, columns: string): Statement {
  const marks = columns.split(',').map((_, index) => `?${index + 2}`);
  return db.prepare(`INSERT INTO ${table} (${columns}) VALUES (${marks.join(', ')})`);
}
