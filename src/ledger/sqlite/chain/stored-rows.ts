/** Rows as the file has them, ready to be digested. */
import type { Database, Statement } from 'bun:sqlite';
import { tagOf } from './digest.ts';
import { chainedColumns, CHAINED_TABLES, type ChainedColumn } from './tables.ts';

const REPLACED = '\ufffd';

/** A stored row: 0, its seq, its columns, and whether a number of it is past what a double holds exactly. */
type Stored = [zero: number, seq: number, ...cells: unknown[]];

/** Reads the rows of one chained table by seq. */
export class StoredRows {
  readonly #columns: readonly ChainedColumn[];
  readonly #between: Statement;
  readonly #exactly: Statement;

  constructor(
    db: Database,
    readonly table: number,
  ) {
    const name = CHAINED_TABLES[table]!;
    this.#columns = chainedColumns(db, name);
    const from = `FROM ${name} WHERE seq BETWEEN ? AND ? ORDER BY seq`;
    this.#between = db.prepare(`SELECT 0, seq, ${this.#columns.map(asSent).join(', ')}, ${pastDoubles(this.#columns)} ${from}`);
    this.#exactly = db.prepare(`SELECT 0, seq, ${this.#columns.map(asBytes).join(', ')} ${from}`);
    this.#exactly.safeIntegers(true);
  }

  /** Calls `visit` with the seq and the digest of each row from `fromSeq` to `toSeq`, both included, in order. */
  visit(fromSeq: number, toSeq: number, visit: (seq: number, tag: Uint8Array) => void): void {
    for (const row of this.#between.values(fromSeq, toSeq) as Stored[]) visit(row[1], tagOf(this.table, this.#sent(row)));
  }

  finalize(): void {
    this.#between.finalize();
    this.#exactly.finalize();
  }

  /** The row as the writer got it. */
  #sent(row: Stored): readonly unknown[] {
    const isPast = row.pop() === 1;
    // Reading turns what is no UTF-8 into the same sign that the writer stores for it, and rounds what a double does not hold.
    return isPast || row.some(isReplaced) ? this.#exact(row) : row;
  }

  #exact(row: Stored): readonly unknown[] {
    const [exact = []] = this.#exactly.values(row[1], row[1]) as unknown[][];
    return row.map((cell, index) => (index < 2 || isSame(cell, exact[index]) ? cell : { other: describe(exact[index]) }));
  }
}

/** The 64 bits of a fingerprint go as text, bytes as their hexadecimal digits. */
function asSent({ name, type }: ChainedColumn): string {
  if (name === 'fingerprint') return `CAST(${name} AS TEXT)`;
  return type === 'BLOB' ? `iif(${name} IS NULL, NULL, hex(${name}))` : name;
}

function asBytes({ name, type }: ChainedColumn): string {
  return type === 'INTEGER' && name !== 'fingerprint' ? name : `CAST(${asSent({ name, type })} AS BLOB)`;
}

function pastDoubles(columns: readonly ChainedColumn[]): string {
  const numbers = columns.filter(({ name, type }) => type === 'INTEGER' && name !== 'fingerprint');
  const { MIN_SAFE_INTEGER: least, MAX_SAFE_INTEGER: most } = Number;
  return ['0', ...numbers.map(({ name }) => `coalesce(${name} NOT BETWEEN ${least} AND ${most}, 0)`)].join(' OR ');
}

function isReplaced(cell: unknown): boolean {
  return typeof cell === 'string' && cell.includes(REPLACED);
}

function isSame(cell: unknown, exact: unknown): boolean {
  if (typeof cell === 'string') return exact instanceof Uint8Array && Buffer.from(cell).equals(exact);
  if (typeof cell === 'number') return typeof exact === 'bigint' && BigInt(cell) === exact;
  return cell === exact;
}

function describe(exact: unknown): string {
  return exact instanceof Uint8Array ? Buffer.from(exact).toString('hex') : String(exact);
}
