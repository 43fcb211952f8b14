/** As long as the longest window of a policy. */
const KEPT_MS = 3_600_000;
/** One more than the greatest `repeats` of a policy: more need never be told apart. */
const MAX_TIMES = 1_001;

/**
 * How often each payload was admitted lately. Remembers a fixed number of admissions; beyond it the oldest fall out.
 * A queue tells which those are; a map finds the times of a payload.
 */
export class LoopTable {
  readonly #timesOf = new Map<number, number[]>();
  #payloads: Float64Array;
  #times: Float64Array;
  #first = 0;
  #length = 0;
  #fallenOut = 0;

  constructor(readonly capacity: number) {
    this.#payloads = new Float64Array(Math.min(16, capacity));
    this.#times = new Float64Array(Math.min(16, capacity));
  }

  /** Admissions that fell out although they were younger than the longest window: counts are not exact for them. */
  get fallenOut(): number {
    return this.#fallenOut;
  }

  /** How many admissions are remembered. */
  get size(): number {
    return this.#length;
  }

  /** Adds an admission that is not before the newest one. */
  add(fingerprint: bigint, atMs: number): void {
    this.#makeRoom(atMs);
    const position = (this.#first + this.#length) % this.#times.length;
    const payload = keyOf(fingerprint);
    this.#payloads[position] = payload;
    this.#times[position] = atMs;
    this.#length++;
    const times = this.#timesOf.get(payload);
    if (times === undefined) this.#timesOf.set(payload, [atMs]);
    else if (times.push(atMs) > MAX_TIMES) times.shift();
  }

  /** Takes the newest entry of exactly this time out again. */
  remove(fingerprint: bigint, atMs: number): void {
    const payload = keyOf(fingerprint);
    const times = this.#timesOf.get(payload);
    const position = times?.lastIndexOf(atMs) ?? -1;
    if (times === undefined || position === -1) return;
    times.splice(position, 1);
    if (times.length === 0) this.#timesOf.delete(payload);
  }

  /** How often within the last `windowMs`: an admission exactly `windowMs` ago no longer counts. */
  countWithin(fingerprint: bigint, windowMs: number, nowMs: number): number {
    const times = this.#timesOf.get(keyOf(fingerprint));
    if (times === undefined) return 0;
    let count = 0;
    while (count < times.length && times[times.length - 1 - count]! > nowMs - windowMs) count++;
    return count;
  }

  #makeRoom(nowMs: number): void {
    while (this.#length > 0 && this.#times[this.#first]! <= nowMs - KEPT_MS) this.#dropOldest();
    if (this.#length < this.#times.length) return;
    if (this.#length < this.capacity) return this.#grow(Math.min(this.capacity, this.#length * 2));
    this.#fallenOut++;
    this.#dropOldest();
  }

  #dropOldest(): void {
    const payload = this.#payloads[this.#first]!;
    const times = this.#timesOf.get(payload);
    // It may be gone already: taken back, or past the count that anybody asks for.
    if (times !== undefined && times[0] === this.#times[this.#first]) {
      if (times.length === 1) this.#timesOf.delete(payload);
      else times.shift();
    }
    this.#first = (this.#first + 1) % this.#times.length;
    this.#length--;
  }

  #grow(capacity: number): void {
    const payloads = new Float64Array(capacity);
    const times = new Float64Array(capacity);
    for (let index = 0; index < this.#length; index++) {
      payloads[index] = this.#payloads[(this.#first + index) % this.#times.length]!;
      times[index] = this.#times[(this.#first + index) % this.#times.length]!;
    }
    this.#payloads = payloads;
    this.#times = times;
    this.#first = 0;
  }
}

/** A fingerprint as a number: its upper 53 bits, because a map finds numbers several times faster than bigints. */
function keyOf(fingerprint: bigint): number {
  return Number(BigInt.asUintN(64, fingerprint));
}
