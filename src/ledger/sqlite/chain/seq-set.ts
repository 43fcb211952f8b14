const CHUNK_SEQS = 65_536;

/** A set of seqs, a bit for each: a few megabytes for ten million rows. */
export class SeqSet {
  readonly #chunks = new Map<number, Uint8Array>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(seq: number): void {
    const at = Math.floor(seq / CHUNK_SEQS);
    let chunk = this.#chunks.get(at);
    if (chunk === undefined) this.#chunks.set(at, (chunk = new Uint8Array(CHUNK_SEQS / 8)));
    const bit = seq - at * CHUNK_SEQS;
    const mask = 1 << (bit & 7);
    if ((chunk[bit >>> 3]! & mask) !== 0) return;
    chunk[bit >>> 3]! |= mask;
    this.#size++;
  }

  has(seq: number): boolean {
    const at = Math.floor(seq / CHUNK_SEQS);
    const bit = seq - at * CHUNK_SEQS;
    return ((this.#chunks.get(at)?.[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0;
  }
}
