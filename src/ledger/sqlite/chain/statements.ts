/** Statements that are used once: none outlives its call, so that the database can be closed. */
import type { Database, SQLQueryBindings } from 'bun:sqlite';

/** All rows of a query. */
export function readAll<Row>(db: Database, sql: string, ...bindings: SQLQueryBindings[]): Row[] {
  const statement = db.prepare<Row, SQLQueryBindings[]>(sql);
  try {
    return statement.all(...bindings);
  } finally {
    statement.finalize();
  }
}

/** The first row of a query, or null. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says what its query gives
export function readOne<Row>(db: Database, sql: string, ...bindings: SQLQueryBindings[]): Row | null {
  return readAll<Row>(db, sql, ...bindings)[0] ?? null;
}

/** Whether the file has a table. An older file that no server of this version has opened lacks those of the newest migrations. */
export function hasTable(db: Database, name: string): boolean {
  return readOne(db, `SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?`, name) !== null;
}

/** Runs a change. Returns how many rows it changed. */
export function runOnce(db: Database, sql: string, ...bindings: SQLQueryBindings[]): number {
  const statement = db.prepare<unknown, SQLQueryBindings[]>(sql);
  try {
    return statement.run(...bindings).changes;
  } finally {
    statement.finalize();
  }
}
