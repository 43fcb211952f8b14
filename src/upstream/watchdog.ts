/** Who is told that its deadline has passed. */
export interface Watched {
  expired(): void;
}

/**
 * Deadlines for many streams with one timer. Time is counted in ticks of one shared interval, so arming costs one
 * assignment, and a process that slept or was busy cuts nobody for it. A deadline is met late by at most two ticks, never early.
 */
export class Watchdogs {
  readonly #watched = new Set<Watchdog>();
  #timer: ReturnType<typeof setInterval> | null = null;
  #ticks = 0;

  constructor(
    /** The length of a tick in milliseconds. */
    readonly tickMs = 250,
  ) {}

  /** A watchdog that sleeps until it is armed. Call its `end` when what it guards is over. */
  watch(watched: Watched): Watchdog {
    const watchdog = new Watchdog(this, watched);
    this.#watched.add(watchdog);
    if (this.#timer === null) {
      this.#timer = setInterval(() => this.tick(), this.tickMs);
      this.#timer.unref();
    }
    return watchdog;
  }

  /** The tick number at which `ms` from now have certainly passed. */
  tickAfter(ms: number): number {
    return this.#ticks + Math.ceil(ms / this.tickMs) + 1;
  }

  /** One step of time; the interval calls it. */
  tick(): void {
    this.#ticks++;
    if (this.#watched.size === 0) this.#stop();
    for (const watchdog of this.#watched) watchdog.check(this.#ticks);
  }

  forget(watchdog: Watchdog): void {
    this.#watched.delete(watchdog);
  }

  /** How many are watched. */
  get size(): number {
    return this.#watched.size;
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}

/** One deadline that can be moved as often as bytes come. */
export class Watchdog {
  #dueTick = Infinity;

  constructor(
    readonly owner: Watchdogs,
    readonly watched: Watched,
  ) {}

  /** Calls `expired` once when `ms` milliseconds pass before the next `arm`, `rest` or `end`. */
  arm(ms: number): void {
    this.#dueTick = this.owner.tickAfter(ms);
  }

  /** No deadline for now. */
  rest(): void {
    this.#dueTick = Infinity;
  }

  /** No deadline ever again. */
  end(): void {
    this.rest();
    this.owner.forget(this);
  }

  check(tick: number): void {
    if (tick < this.#dueTick) return;
    this.end();
    this.watched.expired();
  }
}
