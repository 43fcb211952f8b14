import { HOUR_MS } from './periods.ts';
import type { RestoredSpend } from './restore.ts';
import { SpendBook } from './spend-book.ts';
import { KEPT_MS } from './spend-log.ts';

/**
 * A book, or what a start knows of somebody whom nobody has asked for since: to make a book for everybody would be a good part of a start,
 * and most are never asked for.
 */
type Kept = SpendBook | RestoredSpend[];

/** More than these take more room as they are than in a book. */
const MANY_SPENDS = 8;

/**
 * Books of end users or senders: names that clients invent. It holds a fixed number of them. When it is full and nobody can be
 * forgotten, all new names of a space share one book: they are counted together, which is too much for each and never too little.
 */
export class Crowd {
  readonly #spaces = new Map<number, Map<string, Kept>>();
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
    return this.#opened(space, name) ?? this.#shared.get(space) ?? null;
  }

  /** The book that `name` is counted in, made when there is room for one. */
  findOrMake(space: number, name: string, nowMs: number): SpendBook {
    const known = this.#opened(space, name) ?? this.#sharedFor(space, nowMs);
    if (known !== null) return known;
    const book = new SpendBook();
    this.#add(space, name, book);
    return book;
  }

  /** Adds what a start knows, or a correction, to what `name` spent. */
  restore(space: number, name: string, spend: RestoredSpend): void {
    const kept = this.#spaces.get(space)?.get(name);
    if (kept instanceof SpendBook) return kept.restore(spend);
    if (kept !== undefined) {
      kept.push(spend);
      if (kept.length > MANY_SPENDS) this.#opened(space, name);
      return;
    }
    const shared = this.#sharedFor(space, spend.atMs);
    if (shared === null) this.#add(space, name, [spend]);
    else shared.restore(spend);
  }

  /** Every book with its space and name; shared books are named `null`. */
  *entries(): IterableIterator<readonly [space: number, name: string | null, book: SpendBook]> {
    for (const [space, names] of this.#spaces) for (const name of names.keys()) yield [space, name, this.#opened(space, name)!];
    for (const [space, book] of this.#shared) yield [space, null, book];
  }

  #opened(space: number, name: string): SpendBook | null {
    const names = this.#spaces.get(space);
    const kept = names?.get(name);
    if (kept === undefined || kept instanceof SpendBook) return kept ?? null;
    const book = new SpendBook();
    for (const spend of kept) book.restore(spend);
    names?.set(name, book);
    return book;
  }

  #add(space: number, name: string, kept: Kept): void {
    let names = this.#spaces.get(space);
    if (names === undefined) this.#spaces.set(space, (names = new Map<string, Kept>()));
    names.set(name, kept);
    this.#size++;
  }

  /** The book for new names of a space when there is no room for one of their own, else null. */
  #sharedFor(space: number, nowMs: number): SpendBook | null {
    let shared = this.#shared.get(space) ?? null;
    if (shared === null && (this.#size < this.capacity || this.#sweep(nowMs))) return null;
    this.#sharedUses++;
    if (shared === null) this.#shared.set(space, (shared = new SpendBook()));
    return shared;
  }

  /** Forgets who cannot matter any more; false when all of them do. Looks at most once an hour, because it looks at everybody. */
  #sweep(nowMs: number): boolean {
    if (nowMs < this.#sweptMs + HOUR_MS) return false;
    this.#sweptMs = nowMs;
    for (const [space, names] of this.#spaces) {
      for (const [name, kept] of names) if (this.#isForgettable(kept, nowMs)) names.delete(name);
      if (names.size === 0) this.#spaces.delete(space);
    }
    for (const [space, book] of this.#shared) if (this.#isForgettable(book, nowMs)) this.#shared.delete(space);
    this.#size = [...this.#spaces.values()].reduce((sum, names) => sum + names.size, 0);
    return this.#size < this.capacity;
  }

  #isForgettable(kept: Kept, nowMs: number): boolean {
    if (kept instanceof SpendBook) return kept.isEmpty || (!this.#remembersTotals && kept.isIdle(nowMs));
    return !this.#remembersTotals && kept.every(({ atMs }) => atMs < nowMs - KEPT_MS);
  }
}
