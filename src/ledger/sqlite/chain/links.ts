/**
 * The writer's end of the chain. Each transaction that writes rows with a seq leaves one link: their digests, and an HMAC over those and
 * the link before. So a row that is changed, removed, inserted or moved afterwards no longer fits its link, and a link no longer fits
 * the next.
 */
import type { Database, Statement } from 'bun:sqlite';
import type { Row } from '../rows.ts';
import { tagOf } from './digest.ts';
import { EntryList } from './entries.ts';
import { readOrMakeChainKey } from './key.ts';
import { anchorMac, linkMac, NO_MAC } from './macs.ts';
import { StoredRows } from './stored-rows.ts';
import { CHAINED_TABLES } from './tables.ts';

/** The end of a chain. */
export interface ChainEnd {
  readonly link: number;
  /** The greatest seq in it. */
  readonly lastSeq: number;
  readonly atMs: number;
  readonly mac: Uint8Array;
}

const END = `SELECT link, last_seq AS lastSeq, at_ms AS atMs, mac FROM chain_links WHERE link = (SELECT max(link) FROM chain_links)
  UNION ALL
  SELECT last_link, last_seq, at_ms, after FROM chain_anchors WHERE first_link = (SELECT max(first_link) FROM chain_anchors)
  ORDER BY link DESC LIMIT 1`;

/** The last link, or the anchor that stands for it; null when the file has no chain. */
export function endOfChain(db: Database): ChainEnd | null {
  const statement = db.prepare<ChainEnd, []>(END);
  const end = statement.get();
  statement.finalize();
  return end;
}

/** The chain's key, of a file that was just opened; begins the chain when it has none. Throws `ChainKeyError`. */
export function prepareChain(db: Database, sealKeys: readonly Uint8Array[], nowMs: number): Uint8Array {
  return db
    .transaction(() => {
      const key = readOrMakeChainKey(db, sealKeys, nowMs);
      const statement = db.prepare<{ lastSeq: number }, []>('SELECT last_seq AS lastSeq FROM checkpoint');
      beginChain(db, key, statement.get()?.lastSeq ?? 0, nowMs);
      statement.finalize();
      return key;
    })
    .immediate();
}

/** Everything up to `lastSeq` was there before the chain, and is not in it. */
function beginChain(db: Database, key: Uint8Array, lastSeq: number, atMs: number): void {
  if (endOfChain(db) !== null) return;
  const fields = { firstLink: 0, lastLink: 0, lastSeq, atMs, before: NO_MAC, after: NO_MAC };
  const insert = db.prepare('INSERT INTO chain_anchors VALUES (0, 0, ?, ?, ?, ?, ?)');
  insert.run(lastSeq, atMs, NO_MAC, NO_MAC, anchorMac(key, fields));
  insert.finalize();
}

/** Makes the links. A transaction that did not commit has to be taken back with `forget`. */
export class ChainWriter {
  #end: ChainEnd;
  #next: ChainEnd | null = null;
  readonly #entries = new EntryList();
  readonly #insert: Statement;
  readonly #stored: readonly StoredRows[];

  constructor(
    readonly db: Database,
    readonly key: Uint8Array,
  ) {
    const end = endOfChain(db);
    if (end === null) throw new Error('the ledger has no chain');
    this.#end = end;
    this.#insert = db.prepare('INSERT INTO chain_links (link, last_seq, at_ms, entries, mac) VALUES (?, ?, ?, ?, ?)');
    this.#stored = CHAINED_TABLES.map((_, table) => new StoredRows(db, table));
  }

  /** Takes a row of a batch. Its kind is its table; `text` is the row as JSON, where the caller has it. */
  row(row: Row, text?: string): void {
    this.#entries.add(row[0], row[1] as number, tagOf(row[0], row, text));
  }

  /** Takes what the transaction has stored between two seqs, both included, whatever wrote it. */
  stored(fromSeq: number, toSeq: number): void {
    for (const rows of this.#stored) rows.visit(fromSeq, toSeq, (seq, tag) => this.#entries.add(rows.table, seq, tag));
  }

  /** Writes the link of what was taken. Part of the transaction of the rows. */
  write(lastSeq: number, atMs: number): void {
    if (this.#entries.isEmpty) return;
    const entries = this.#entries.bytes;
    const fields = { link: this.#end.link + 1, lastSeq: Math.max(lastSeq, this.#end.lastSeq), atMs, entries };
    const mac = linkMac(this.key, this.#end.mac, fields);
    this.#insert.run(fields.link, fields.lastSeq, atMs, entries, mac);
    this.#next = { link: fields.link, lastSeq: fields.lastSeq, atMs, mac };
    this.#entries.clear();
  }

  /** The transaction is committed: the next link follows this one. */
  committed(): void {
    this.#end = this.#next ?? this.#end;
    this.#next = null;
  }

  /** The transaction is not there. */
  forget(): void {
    this.#next = null;
    this.#entries.clear();
  }

  /** Lets go of the statements, so that the database can be closed. */
  finalize(): void {
    this.#insert.finalize();
    for (const rows of this.#stored) rows.finalize();
  }
}
