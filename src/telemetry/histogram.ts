/** Bounds in seconds for what the gateway itself does: 50 us to 5 s. */
export const SHORT_SECONDS = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5] as const;

/** Bounds in seconds for what a provider takes: 25 ms to 10 minutes. */
export const LONG_SECONDS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 600] as const;

/** Bounds for how many rows a transaction holds; 1,024 is the most. */
export const BATCH_ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024] as const;

/** Counts of observations by fixed bounds. An observation allocates nothing and takes some ten nanoseconds. */
export class Histogram {
  /** How many observations were at most the bound of the same place, and more than the one before; the last place is past all bounds. */
  readonly counts: Float64Array;
  #sum = 0;

  /** `bounds` in ascending order. */
  constructor(readonly bounds: readonly number[]) {
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** Counts a value; one that is no number, or below 0, counts as 0. */
  observe(value: number): void {
    const safe = value > 0 ? value : 0;
    const { bounds, counts } = this;
    let place = 0;
    while (place < bounds.length && safe > bounds[place]!) place++;
    counts[place]!++;
    this.#sum += safe;
  }

  get sum(): number {
    return this.#sum;
  }

  get count(): number {
    let count = 0;
    for (const some of this.counts) count += some;
    return count;
  }
}
