/** More than the greatest count that a policy may ask for (100,000): a full ring is then past every limit. */
const MAX_TIMES = 131_072;
/** As long as the longest window of a policy. */
const KEPT_MS = 3_600_000;
const FIRST_CAPACITY = 16;

/** Times of admissions, oldest first, of the last hour: a sliding window that is exact at both edges. */
export class TimeRing {
  #times = new Float64Array(FIRST_CAPACITY);
  #first = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Adds a time that is not before the newest one. When the ring is full the oldest falls out. */
  push(atMs: number): void {
    this.#dropBefore(atMs - KEPT_MS);
    if (this.#length === this.#times.length) {
      if (this.#length >= MAX_TIMES) this.#dropOldest();
      else this.#grow();
    }
    this.#times[(this.#first + this.#length) % this.#times.length] = atMs;
    this.#length++;
  }

  /** Takes the newest entry of exactly this time out again. */
  remove(atMs: number): void {
    let position = this.#length - 1;
    while (position >= 0 && this.#at(position) > atMs) position--;
    if (position < 0 || this.#at(position) !== atMs) return;
    for (; position < this.#length - 1; position++) this.#times[(this.#first + position) % this.#times.length] = this.#at(position + 1);
    this.#length--;
  }

  /** How many times are within the last `windowMs`: one exactly `windowMs` ago is not. */
  countWithin(windowMs: number, nowMs: number): number {
    return this.#length - this.#firstAfter(nowMs - windowMs);
  }

  /** When fewer than `limit` (at least 1) are within the window: now, or when enough of the oldest have left. */
  roomAtMs(windowMs: number, limit: number, nowMs: number): number {
    const first = this.#firstAfter(nowMs - windowMs);
    const tooMany = this.#length - first - limit;
    return tooMany < 0 ? nowMs : this.#at(Math.min(first + tooMany, this.#length - 1)) + windowMs;
  }

  #at(position: number): number {
    return this.#times[(this.#first + position) % this.#times.length]!;
  }

  #firstAfter(ms: number): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#at(middle) <= ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #dropBefore(ms: number): void {
    while (this.#length > 0 && this.#at(0) <= ms) this.#dropOldest();
  }

  #dropOldest(): void {
    this.#first = (this.#first + 1) % this.#times.length;
    this.#length--;
  }

  #grow(): void {
    const times = new Float64Array(this.#times.length * 2);
    for (let position = 0; position < this.#length; position++) times[position] = this.#at(position);
    this.#times = times;
    this.#first = 0;
  }
}
