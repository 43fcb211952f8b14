/** The tables whose rows are in the chain: all that have a `seq` as their key. */
import type { Database } from 'bun:sqlite';
import { DECISION_COLUMNS, SETTLEMENT_COLUMNS } from '../rows.ts';

/** By their number in an entry: the index. Only ever append. A test goes red when a table with a `seq` is not here. */
export const CHAINED_TABLES = [
  'decisions',
  'settlements',
  'corrections',
  'policies',
  'sentry_switches',
  'credit_entries',
  'price_overrides',
  'audit_events',
  'prunings',
  'price_catalogues',
] as const;

export type ChainedTable = (typeof CHAINED_TABLES)[number];

/** The numbers of the two tables that the hot path writes. */
export const DECISIONS = 0;
export const SETTLEMENTS = 1;

/** A column as the file has it. */
export interface ChainedColumn {
  readonly name: string;
  /** `INTEGER`, `TEXT` or `BLOB`. */
  readonly type: string;
}

/** The writer has the rows of these in the order of its messages. */
const MESSAGE_ORDER: Partial<Record<ChainedTable, readonly string[]>> = {
  decisions: DECISION_COLUMNS.split(', '),
  settlements: SETTLEMENT_COLUMNS.split(', '),
};

/**
 * The columns of a table's rows in the order in which they are digested, without `seq`. A column that a migration adds comes last,
 * and must be null in the rows before it: trailing nulls are not digested, so those rows keep their digest.
 */
export function chainedColumns(db: Database, table: ChainedTable): ChainedColumn[] {
  const statement = db.prepare<ChainedColumn, []>(`SELECT name, type FROM pragma_table_xinfo('${table}') ORDER BY cid`);
  const live = statement.all();
  statement.finalize();
  const first = MESSAGE_ORDER[table] ?? [];
  const known = first.flatMap((name) => live.filter((column) => column.name === name));
  const others = live.filter(({ name }) => !first.includes(name));
  return [...known, ...others].filter(({ name }) => name !== 'seq');
}
