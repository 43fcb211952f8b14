import { HOUR_MS } from './periods.ts';

/** How long single amounts are kept: more than the longest month and the longest rolling window. */
export const KEPT_MS = 32 * 24 * HOUR_MS;
/** Up to this many amounts every one keeps its own time. */
const EXACT_ENTRIES = 4_096;
const FIRST_CAPACITY = 8;
const MINUTE_MS = 60_000;
/** Amounts younger than this are merged by the minute, older ones by the hour. */
const FINE_MS = 2 * HOUR_MS;
// There are two logs for each end user, and a start makes them all: they share what is empty.
const NO_NUMBERS = new Float64Array(0);
const NO_LABELS = new Uint16Array(0);

/**
 * What was spent when, oldest first: columns of time, amount and label. When it is full, amounts of one label within the same
 * minute or hour become one amount at the latest of their times. A merge never crosses an hour, so calendar sums stay exact;
 * a rolling sum then keeps an amount up to an hour too long, never too short.
 */
export class SpendLog {
  #atMs: Float64Array = NO_NUMBERS;
  #nanoUsd: Float64Array = NO_NUMBERS;
  #labels: Uint16Array = NO_LABELS;
  #length = 0;
  /** Changes whenever positions move, so that who keeps a position must look again. */
  #generation = 0;

  get length(): number {
    return this.#length;
  }

  get generation(): number {
    return this.#generation;
  }

  /** When the newest amount was spent, or -Infinity. */
  get newestMs(): number {
    return this.#length === 0 ? Number.NEGATIVE_INFINITY : this.#atMs[this.#length - 1]!;
  }

  atMs(position: number): number {
    return this.#atMs[position]!;
  }

  nanoUsd(position: number): number {
    return this.#nanoUsd[position]!;
  }

  label(position: number): number {
    return this.#labels[position]!;
  }

  /** Adds an amount (below 0 for a correction) where its time belongs: nearly always at the end. */
  add(atMs: number, nanoUsd: number, label: number): void {
    if (this.#length === this.#atMs.length) this.#makeRoom(Math.max(atMs, this.newestMs));
    let position = this.#length;
    while (position > 0 && this.#atMs[position - 1]! > atMs) position--;
    if (position < this.#length) {
      this.#atMs.copyWithin(position + 1, position, this.#length);
      this.#nanoUsd.copyWithin(position + 1, position, this.#length);
      this.#labels.copyWithin(position + 1, position, this.#length);
      this.#generation++;
    }
    this.#set(position, atMs, nanoUsd, label);
    this.#length++;
  }

  /** The first position at or after `fromMs`. */
  firstFrom(fromMs: number): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#atMs[middle]! < fromMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #set(position: number, atMs: number, nanoUsd: number, label: number): void {
    this.#atMs[position] = atMs;
    this.#nanoUsd[position] = nanoUsd;
    this.#labels[position] = label;
  }

  #makeRoom(nowMs: number): void {
    this.#dropBefore(nowMs - KEPT_MS);
    if (this.#length >= EXACT_ENTRIES) this.#merge(nowMs);
    const capacity = this.#atMs.length;
    // Room that is only just there would mean to merge again at once.
    if (this.#length * 2 > capacity || capacity === 0) this.#grow(Math.max(FIRST_CAPACITY, capacity * 2));
  }

  #dropBefore(fromMs: number): void {
    const first = this.firstFrom(fromMs);
    if (first === 0) return;
    this.#atMs.copyWithin(0, first, this.#length);
    this.#nanoUsd.copyWithin(0, first, this.#length);
    this.#labels.copyWithin(0, first, this.#length);
    this.#length -= first;
    this.#generation++;
  }

  #merge(nowMs: number): void {
    const merged = new SpendLog();
    merged.#grow(this.#atMs.length);
    let bucket = Number.NaN;
    const open = new Map<number, number>();
    for (let position = 0; position < this.#length; position++) {
      const atMs = this.#atMs[position]!;
      const width = atMs < nowMs - FINE_MS ? HOUR_MS : MINUTE_MS;
      const own = Math.floor(atMs / width) * width;
      if (own !== bucket) open.clear();
      bucket = own;
      const label = this.#labels[position]!;
      const earlier = open.get(label);
      const before = earlier === undefined ? 0 : merged.#takeOut(earlier, open);
      open.set(label, merged.#length);
      merged.#set(merged.#length++, atMs, before + this.#nanoUsd[position]!, label);
    }
    merged.#squeeze();
    this.#atMs = merged.#atMs;
    this.#nanoUsd = merged.#nanoUsd;
    this.#labels = merged.#labels;
    this.#length = merged.#length;
    this.#generation++;
  }

  /** Empties a position whose amount moves to a later one; `squeeze` removes what was emptied. */
  #takeOut(position: number, open: Map<number, number>): number {
    const amount = this.#nanoUsd[position]!;
    this.#nanoUsd[position] = 0;
    open.delete(this.#labels[position]!);
    return amount;
  }

  #squeeze(): void {
    let kept = 0;
    for (let position = 0; position < this.#length; position++) {
      const amount = this.#nanoUsd[position]!;
      if (amount !== 0) this.#set(kept++, this.#atMs[position]!, amount, this.#labels[position]!);
    }
    this.#length = kept;
  }

  #grow(capacity: number): void {
    const atMs = new Float64Array(capacity);
    const nanoUsd = new Float64Array(capacity);
    const labels = new Uint16Array(capacity);
    if (this.#length > 0) {
      atMs.set(this.#atMs);
      nanoUsd.set(this.#nanoUsd);
      labels.set(this.#labels);
    }
    this.#atMs = atMs;
    this.#nanoUsd = nanoUsd;
    this.#labels = labels;
  }
}
