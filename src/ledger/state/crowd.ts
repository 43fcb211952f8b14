import { HOUR_MS } from './periods.ts';
import { SpendBook } from './spend-book.ts';

/**
 * Books of end users or senders: names that clients invent. It holds a fixed number of them. When it is full and nobody can be
 * forgotten, all new names of a space share one book: they are counted together, which is too much for each and never too little.
 */
export class Crowd {
  readonly #spaces = new Map<number, Map<string, SpendBook>>();
  readonly #shared = new Map<number, SpendBook>();
  #size = 0;
  #sweptMs = Number.NEGATIVE_INFINITY;
  #sharedUses = 0;
  /** Set once a budget over all time was asked for: then nobody who has spent may be forgotten. */
  #remembersTotals = false;

  constructor(readonly capacity: number) {}

  get size(): number {
    return this.#size;
  }

  /** How often a request was counted in a shared book. */
  get sharedUses(): number {
    return this.#sharedUses;
  }

  /** From now on totals matter. */
  rememberTotals(): void {
    this.#remembersTotals = true;
  }

  /** The book that `name` is counted in, or null when it has none yet. */
  find(space: number, name: string): SpendBook | null {
    return this.#spaces.get(space)?.get(name) ?? this.#shared.get(space) ?? null;
  }

  /** The book that `name` is counted in, made when there is room for one. */
  findOrMake(space: number, name: string, nowMs: number): SpendBook {
    const known = this.#spaces.get(space)?.get(name);
    if (known !== undefined) return known;
    const shared = this.#shared.get(space);
    if (shared !== undefined || (this.#size >= this.capacity && !this.#sweep(nowMs))) {
      this.#sharedUses++;
      return shared ?? this.#makeShared(space);
    }
    const book = new SpendBook();
    let names = this.#spaces.get(space);
    if (names === undefined) this.#spaces.set(space, (names = new Map<string, SpendBook>()));
    names.set(name, book);
    this.#size++;
    return book;
  }

  /** Every book with its space and name; shared books are named `null`. */
  *entries(): IterableIterator<readonly [space: number, name: string | null, book: SpendBook]> {
    for (const [space, names] of this.#spaces) for (const [name, book] of names) yield [space, name, book];
    for (const [space, book] of this.#shared) yield [space, null, book];
  }

  #makeShared(space: number): SpendBook {
    const book = new SpendBook();
    this.#shared.set(space, book);
    return book;
  }

  /** Forgets who cannot matter any more; false when all of them do. Looks at most once an hour, because it looks at everybody. */
  #sweep(nowMs: number): boolean {
    if (nowMs < this.#sweptMs + HOUR_MS) return false;
    this.#sweptMs = nowMs;
    for (const [space, names] of this.#spaces) {
      for (const [name, book] of names) if (this.#isForgettable(book, nowMs)) names.delete(name);
      if (names.size === 0) this.#spaces.delete(space);
    }
    for (const [space, book] of this.#shared) if (this.#isForgettable(book, nowMs)) this.#shared.delete(space);
    this.#size = [...this.#spaces.values()].reduce((sum, names) => sum + names.size, 0);
    return this.#size < this.capacity;
  }

  #isForgettable(book: SpendBook, nowMs: number): boolean {
    return book.isEmpty || (!this.#remembersTotals && book.isIdle(nowMs));
  }
}
