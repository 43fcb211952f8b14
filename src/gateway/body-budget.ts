/** How many bytes of request bodies may be in memory at once: a fixed capacity, so that a flood of large bodies cannot end the process. */
export class BodyBudget {
  #taken = 0;

  /** The capacity may change: what is taken already stays taken. */
  constructor(public capacityBytes: number) {}

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

/** What one body takes while it arrives. After `end` it takes nothing more, however late the rest comes. */
export class Reservation {
  #bytes = 0;
  #ended = false;

  constructor(readonly budget: BodyBudget) {}

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes more; false when there is no room, or when it has ended. */
  add(bytes: number): boolean {
    if (this.#ended || !this.budget.take(bytes)) return false;
    this.#bytes += bytes;
    return true;
  }

  /** Gives all of it back. */
  end(): void {
    this.#ended = true;
    this.budget.give(this.#bytes);
    this.#bytes = 0;
  }
}
