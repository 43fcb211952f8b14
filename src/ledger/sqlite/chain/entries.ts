/** The rows of a link as bytes: for each row its table (1 byte), its seq (7 bytes, big-endian) and its tag. */
import { TAG_BYTES } from './digest.ts';

export const ENTRY_BYTES = 8 + TAG_BYTES;

const TWO_TO_32 = 2 ** 32;

/** A row in a link. */
export interface Entry {
  /** The index in `CHAINED_TABLES`. */
  readonly table: number;
  readonly seq: number;
}

/** Collects entries. */
export class EntryList {
  #bytes = Buffer.alloc(256 * ENTRY_BYTES);
  #length = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  add(table: number, seq: number, tag: Uint8Array): void {
    if (this.#length + ENTRY_BYTES > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], this.#bytes.length * 2);
    const bytes = this.#bytes;
    // The upper 24 bits of seq beside the table: seqs stay under 2^53.
    bytes.writeUInt32BE(table * 0x100_0000 + Math.floor(seq / TWO_TO_32), this.#length);
    bytes.writeUInt32BE(seq % TWO_TO_32, this.#length + 4);
    bytes.set(tag, this.#length + 8);
    this.#length += ENTRY_BYTES;
  }

  /** What was collected. Valid until the next `add` or `clear`. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }
}

/** How many rows `entries` has. */
export function entryCount(entries: Uint8Array): number {
  return Math.floor(entries.length / ENTRY_BYTES);
}

/** The row at `index` of `entries`. */
export function entryAt(entries: Uint8Array, index: number): Entry {
  const view = new DataView(entries.buffer, entries.byteOffset + index * ENTRY_BYTES, 8);
  const high = view.getUint32(0);
  return { table: high >>> 24, seq: (high & 0xff_ffff) * TWO_TO_32 + view.getUint32(4) };
}

/** The tag of the row at `index`: a view of `entries`. */
export function tagAt(entries: Uint8Array, index: number): Uint8Array {
  return entries.subarray(index * ENTRY_BYTES + 8, (index + 1) * ENTRY_BYTES);
}

/** Whether the row at `index` is marked in a bitmap of pruned rows. */
export function isMarked(marks: Uint8Array | null, index: number): boolean {
  return marks !== null && ((marks[index >>> 3] ?? 0) & (1 << (index & 7))) !== 0;
}
