/** From a row to its digest: the same bytes from the message that the writer gets and from the row that is read later. */
import { CHAINED_TABLES } from './tables.ts';

/** Bytes of SHA-256 that are kept of a row. */
export const TAG_BYTES = 16;

const full = new Uint8Array(32);
const tag = full.subarray(0, TAG_BYTES);

/**
 * What is digested of a row: its table and, as JSON, the columns after `seq` up to the last that is not null. `row` has something at
 * its beginning, then seq, then the columns; `asJson` is the same as JSON. JSON has no 64-bit numbers: a fingerprint is a text here, and of other numbers only those
 * that a double holds exactly can come from the writer. What is no text in UTF-8 is stored as U+FFFD, so that is what is digested.
 */
export function canonicalText(table: number, row: readonly unknown[], asJson = JSON.stringify(row)): string {
  let text = asJson;
  // The escape of a surrogate that stands alone; a backslash before it makes it another text, which costs a second look only.
  if (text.includes('\\ud')) text = JSON.stringify(row.map(wellFormed));
  let end = text.length - 1;
  while (text.endsWith(',null', end)) end -= 5;
  return CHAINED_TABLES[table] + text.slice(text.indexOf(',', text.indexOf(',') + 1), end);
}

/** The digest of a row; `asJson` is the row as JSON, where the caller has it. Valid until the next call. */
export function tagOf(table: number, row: readonly unknown[], asJson?: string): Uint8Array {
  Bun.SHA256.hash(canonicalText(table, row, asJson), full);
  return tag;
}

function wellFormed(cell: unknown): unknown {
  return typeof cell === 'string' ? cell.toWellFormed() : cell;
}
