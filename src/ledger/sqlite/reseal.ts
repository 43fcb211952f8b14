import type { Database } from 'bun:sqlite';
import { sql, type SQL } from 'drizzle-orm';
import type { BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite';
import { SEALED_COLUMNS, type ResealedValue, type SealedColumn, type SealedValue } from '../sealed.ts';
import { readChainKey, resealChainKey } from './chain/key.ts';

/** Every sealed value of the ledger. */
export function sealedValues(db: BunSQLiteDatabase): SealedValue[] {
  return SEALED_COLUMNS.flatMap((column, index) => valuesOf(db, column, index));
}

function valuesOf(db: BunSQLiteDatabase, { table, columns, associatedData }: SealedColumn, index: number): SealedValue[] {
  const [head, rest] = columns;
  const rows = db.all<{ id: number; head: Uint8Array; rest: Uint8Array | null; associatedData: string }>(
    sql.raw(
      `SELECT id, ${head} AS head, ${rest ?? 'NULL'} AS rest, ${associatedData} AS associatedData FROM ${table} WHERE ${head} IS NOT NULL`,
    ),
  );
  return rows.map((row) => ({
    column: index,
    id: row.id,
    sealed: new Uint8Array(Buffer.concat([row.head, row.rest ?? new Uint8Array()])),
    associatedData: row.associatedData,
  }));
}

/** What a change of the master key writes, in one transaction. */
export interface Reseal {
  readonly values: readonly ResealedValue[];
  /** `MasterKey.deriveAll(CHAIN_SEAL)`: what may seal the chain's key, and what is to seal it first. */
  readonly chainSeals: readonly Uint8Array[];
}

/** Stores values that were sealed anew, each only where the old one still stands, and returns how many those were. */
export function reseal({ db, file }: { db: BunSQLiteDatabase; file: Database }, { values, chainSeals }: Reseal): number {
  resealChain(file, chainSeals);
  return values.filter((value) => replaced(db, value)).length;
}

function replaced(db: BunSQLiteDatabase, { column, id, sealed, resealed }: ResealedValue): boolean {
  const { table, columns }: SealedColumn = SEALED_COLUMNS[column]!;
  const [head, rest] = columns;
  const size = rest === undefined ? undefined : headSize(db, table, head, id);
  const set = assignments(head, rest, resealed, size, sql.raw(', '));
  const stands = assignments(head, rest, sealed, size, sql.raw(' AND '));
  return db.all(sql`UPDATE ${sql.raw(table)} SET ${set} WHERE id = ${id} AND ${stands} RETURNING id`).length === 1;
}

/** How many bytes of a value are in the first of its two columns. */
function headSize(db: BunSQLiteDatabase, table: string, head: string, id: number): number {
  return db.all<{ size: number | null }>(sql.raw(`SELECT length(${head}) AS size FROM ${table} WHERE id = ${id}`))[0]?.size ?? 0;
}

/** `head = bytes`, and the same for the rest. */
function assignments(head: string, rest: string | undefined, bytes: Uint8Array, size: number | undefined, between: SQL): SQL {
  const first = sql`${sql.raw(head)} = ${Buffer.from(bytes.subarray(0, size))}`;
  return rest === undefined ? first : sql`${first}${between}${sql.raw(rest)} = ${Buffer.from(bytes.subarray(size))}`;
}

function resealChain(file: Database, [newest, ...earlier]: readonly Uint8Array[]): void {
  if (newest === undefined) return;
  for (const seal of earlier) {
    if (isSealedBy(file, newest)) return;
    if (isSealedBy(file, seal)) resealChainKey(file, seal, newest);
  }
}

function isSealedBy(file: Database, seal: Uint8Array): boolean {
  try {
    readChainKey(file, [seal]);
    return true;
  } catch {
    return false;
  }
}
