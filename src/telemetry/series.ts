/** The label of everything that has no series of its own. */
export const OTHER = 'other';

/**
 * Values by key, of which there are only so many: whoever comes when it is full shares the value of `OTHER`.
 * So no client can make the number of series grow, whatever it sends.
 */
export class CappedTable<Key, Value> {
  readonly #values = new Map<Key, { readonly label: string; readonly value: Value }>();
  readonly #shared: Value;
  #sharedUsed = false;

  constructor(
    readonly capacity: number,
    readonly make: () => Value,
  ) {
    this.#shared = make();
  }

  /** The value of a key. `labelOf` names a new one; null sends it to the shared value. */
  of(key: Key, labelOf: (key: Key) => string | null): Value {
    const known = this.#values.get(key);
    if (known !== undefined) return known.value;
    const label = this.#values.size < this.capacity ? labelOf(key) : null;
    if (label === null) return this.other();
    const value = this.make();
    this.#values.set(key, { label, value });
    return value;
  }

  /** The value that is shared. */
  other(): Value {
    this.#sharedUsed = true;
    return this.#shared;
  }

  /** Every value with its label, the shared one last when anybody used it. */
  *entries(): IterableIterator<readonly [label: string, value: Value]> {
    for (const { label, value } of this.#values.values()) yield [label, value];
    if (this.#sharedUsed) yield [OTHER, this.#shared];
  }
}
