/** How many bytes of request bodies may be in memory at once: a fixed capacity, so that a flood of large bodies cannot end the process. */
export class BodyBudget {
  #taken = 0;

  constructor(readonly capacityBytes: number) {}

  /** Reserves `bytes`; false when there is no room. */
  take(bytes: number): boolean {
    if (this.#taken + bytes > this.capacityBytes) return false;
    this.#taken += bytes;
    return true;
  }

  /** Returns what `take` reserved. */
  give(bytes: number): void {
    this.#taken -= bytes;
  }

  get takenBytes(): number {
    return this.#taken;
  }
}
