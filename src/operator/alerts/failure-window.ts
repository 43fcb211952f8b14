const BUCKET_MS = 10_000;
/** The longest window that an alert may ask for is an hour. */
const BUCKETS = 360;

/** Requests and failures of one provider connection over the last hour, by ten seconds. Times are of the monotonic clock. */
export class FailureWindow {
  readonly #requests = new Uint32Array(BUCKETS);
  readonly #failures = new Uint32Array(BUCKETS);
  #newest = 0;

  /** Counts one request that the provider answered, or failed to. */
  add(failed: boolean, nowMs: number): void {
    const slot = this.#turn(nowMs) % BUCKETS;
    this.#requests[slot]!++;
    if (failed) this.#failures[slot]!++;
  }

  /** What the last `windowMs` saw, to a bucket of ten seconds. */
  count(windowMs: number, nowMs: number): { requests: number; failures: number } {
    const newest = this.#turn(nowMs);
    const sum = { requests: 0, failures: 0 };
    for (let bucket = newest; bucket > newest - Math.ceil(windowMs / BUCKET_MS) && bucket >= 0; bucket--) {
      sum.requests += this.#requests[bucket % BUCKETS]!;
      sum.failures += this.#failures[bucket % BUCKETS]!;
    }
    return sum;
  }

  /** Empties the buckets of the time that has passed, and returns the one of now. */
  #turn(nowMs: number): number {
    const now = Math.floor(nowMs / BUCKET_MS);
    for (let bucket = Math.max(this.#newest, now - BUCKETS) + 1; bucket <= now; bucket++) {
      this.#requests[bucket % BUCKETS] = 0;
      this.#failures[bucket % BUCKETS] = 0;
    }
    if (now > this.#newest) this.#newest = now;
    return this.#newest;
  }
}
