/** Compares the rows of the chained tables with what the links say of them. */
import type { Database } from 'bun:sqlite';
import { sameBytes } from './macs.ts';
import { SeqSet } from './seq-set.ts';
import { hasTable } from './statements.ts';
import { StoredRows } from './stored-rows.ts';
import { CHAINED_TABLES, type ChainedTable } from './tables.ts';

/** How a row is not as the chain has it. */
export type RowChange = 'changed' | 'removed' | 'inserted' | 'reordered';

/** A row that is not as the chain has it. */
export interface BadRow {
  readonly table: ChainedTable;
  readonly seq: number;
  readonly change: RowChange;
}

/** A row as a link has it. */
export interface ExpectedRow {
  readonly table: number;
  readonly seq: number;
  readonly tag: Uint8Array;
}

interface Difference {
  readonly table: number;
  readonly seq: number;
  readonly expected: Uint8Array | null;
  readonly found: Uint8Array | null;
}

/** Rows that are further apart than this are read by separate statements. */
const GAP_SEQS = 512;
const PAGE_SEQS = 8_192;
/** How many differences are kept to tell what was moved from what was changed. */
const MAX_DIFFERENCES = 10_000;

/** Takes the expected rows in pages, then tells what is wrong. */
export class RowCheck {
  readonly #rows = new Map<number, StoredRows>();
  readonly #seen = CHAINED_TABLES.map(() => new SeqSet());
  #differences: Difference[] = [];

  constructor(readonly db: Database) {}

  /** Looks at these rows, which may be of any tables and in any order. */
  check(expected: readonly ExpectedRow[]): void {
    const tables = Map.groupBy(expected, ({ table }) => table);
    for (const [table, rows] of tables) {
      rows.sort((a, b) => a.seq - b.seq);
      let begin = 0;
      for (let index = 1; index <= rows.length; index++) {
        if (index < rows.length && rows[index]!.seq - rows[index - 1]!.seq <= GAP_SEQS) continue;
        this.#checkRun(table, rows.slice(begin, index));
        begin = index;
      }
    }
  }

  /** Looks for rows that no link has, when all that links have were checked. Rows up to `beginsAfterSeq` are older than the chain. */
  checkNoOthers(beginsAfterSeq: number): void {
    for (const [table, name] of CHAINED_TABLES.entries()) if (hasTable(this.db, name)) this.#findInserted(table, beginsAfterSeq);
  }

  /** Tells all that is wrong: the lowest seq first. */
  finish(): BadRow[] {
    for (const rows of this.#rows.values()) rows.finalize();
    return classified(this.#differences).sort((a, b) => a.seq - b.seq);
  }

  #rowsOf(table: number): StoredRows {
    const known = this.#rows.get(table);
    if (known !== undefined) return known;
    const rows = new StoredRows(this.db, table);
    this.#rows.set(table, rows);
    return rows;
  }

  #checkRun(table: number, run: readonly ExpectedRow[]): void {
    let next = 0;
    this.#rowsOf(table).visit(run[0]!.seq, run[run.length - 1]!.seq, (seq, tag) => {
      while (next < run.length && run[next]!.seq < seq) this.#isMissing(run[next++]!);
      // A row of another page otherwise.
      while (next < run.length && run[next]!.seq === seq) this.#isThere(run[next++]!, tag);
    });
    while (next < run.length) this.#isMissing(run[next++]!);
  }

  #isThere({ table, seq, tag }: ExpectedRow, found: Uint8Array): void {
    this.#seen[table]!.add(seq);
    if (!sameBytes(tag, found)) this.#differs({ table, seq, expected: tag, found: found.slice() });
  }

  #isMissing({ table, seq, tag }: ExpectedRow): void {
    this.#differs({ table, seq, expected: tag, found: null });
  }

  #findInserted(table: number, beginsAfterSeq: number): void {
    const name = CHAINED_TABLES[table]!;
    const seen = this.#seen[table]!;
    // No seq is below 1, whatever the chain begins with.
    const covered = `FROM ${name} WHERE (seq > ${beginsAfterSeq} OR seq < 1)`;
    const count = this.db.prepare<{ rows: number }, []>(`SELECT count(*) AS rows ${covered}`);
    const isComplete = count.get()?.rows === seen.size;
    count.finalize();
    if (isComplete) return;
    const page = this.db.prepare(`SELECT seq ${covered} AND seq > ? ORDER BY seq LIMIT ${PAGE_SEQS}`);
    for (let last = Number.MIN_SAFE_INTEGER; ;) {
      const seqs = page.values(last) as [number][];
      for (const [seq] of seqs) if (!seen.has(seq)) this.#isInserted(table, seq);
      if (seqs.length < PAGE_SEQS) break;
      last = seqs[seqs.length - 1]![0];
    }
    page.finalize();
  }

  #isInserted(table: number, seq: number): void {
    this.#rowsOf(table).visit(seq, seq, (_, tag) => this.#differs({ table, seq, expected: null, found: tag.slice() }));
  }

  #differs(difference: Difference): void {
    if (this.#differences.length < MAX_DIFFERENCES) this.#differences.push(difference);
  }
}

/** A row whose content stands at another place than the chain has it was moved. */
function classified(differences: readonly Difference[]): BadRow[] {
  const wanted = new Set(differences.flatMap(({ table, expected }) => (expected ? [nameOf(table, expected)] : [])));
  const found = new Set(differences.flatMap((difference) => (difference.found ? [nameOf(difference.table, difference.found)] : [])));
  return differences.map((difference) => {
    const { table, seq } = difference;
    const isElsewhere = difference.expected !== null && found.has(nameOf(table, difference.expected));
    const isFromElsewhere = difference.found !== null && wanted.has(nameOf(table, difference.found));
    return { table: CHAINED_TABLES[table]!, seq, change: isElsewhere || isFromElsewhere ? 'reordered' : changeOf(difference) };
  });
}

function changeOf({ expected, found }: Difference): RowChange {
  if (expected === null) return 'inserted';
  return found === null ? 'removed' : 'changed';
}

function nameOf(table: number, tag: Uint8Array): string {
  return `${table} ${Buffer.from(tag).toString('hex')}`;
}
