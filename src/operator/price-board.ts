import type { PriceOverride as StoredOverride } from '../ledger/store.ts';
import type { PriceOverride } from '../pricing/catalogue-model.ts';
import type { Catalogue } from '../pricing/catalogue.ts';

/** An operator's price as it is stored: the parts that differ from the catalogue. */
export type OverrideParts = Pick<PriceOverride, 'price' | 'limits'>;

/** An override in force, and who set it. */
export interface SetPrice {
  readonly override: PriceOverride;
  readonly author: string;
  readonly atMs: number;
}

/** The prices in force: the embedded catalogue with every operator's price on top. A change makes a whole new catalogue. */
export class PriceBoard {
  #set: ReadonlyMap<string, SetPrice>;
  #current: Catalogue;

  /** `publish` is given the catalogue in force, now and after each change: who prices requests takes it over at once. */
  constructor(
    readonly base: Catalogue,
    stored: readonly StoredOverride[],
    private readonly publish: (catalogue: Catalogue) => void,
  ) {
    this.#set = new Map(
      stored.flatMap((row) => (row.price === null ? [] : [[nameOf(row.provider, row.model), setPriceOf(row, row.price)]])),
    );
    this.#current = withSet(base, this.#set);
    publish(this.#current);
  }

  get current(): Catalogue {
    return this.#current;
  }

  /** What operators set, in the order of provider and model. */
  overrides(): SetPrice[] {
    return [...this.#set].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, set]) => set);
  }

  override(provider: string, model: string): SetPrice | null {
    return this.#set.get(nameOf(provider, model)) ?? null;
  }

  /** The catalogue as it would be with this override, or without one. */
  preview(provider: string, model: string, parts: OverrideParts | null): Catalogue {
    const set = new Map(this.#set);
    const name = nameOf(provider, model);
    if (parts === null) set.delete(name);
    else set.set(name, { override: { provider, model, ...parts }, author: '', atMs: 0 });
    return withSet(this.base, set);
  }

  /** Takes over what was stored. */
  put(stored: StoredOverride): void {
    const set = new Map(this.#set);
    const name = nameOf(stored.provider, stored.model);
    if (stored.price === null) set.delete(name);
    else set.set(name, setPriceOf(stored, stored.price));
    this.#set = set;
    this.#current = withSet(this.base, set);
    this.publish(this.#current);
  }
}

function nameOf(provider: string, model: string): string {
  return `${provider}/${model.toLowerCase()}`;
}

function setPriceOf({ provider, model, author, atMs }: StoredOverride, json: string): SetPrice {
  return { override: { provider, model, ...(JSON.parse(json) as OverrideParts) }, author, atMs };
}

function withSet(base: Catalogue, set: ReadonlyMap<string, SetPrice>): Catalogue {
  return base.withOverrides([...set.values()].map(({ override }) => override));
}
