import type { CatalogueVersion } from '../ledger/catalogue-store.ts';
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

/** The price list in force, without what operators set. */
export interface PriceList {
  readonly catalogue: Catalogue;
  readonly version: CatalogueVersion;
}

/** What the prices are when the process starts. */
export interface PricesAtStart {
  readonly list: PriceList;
  readonly overrides: readonly StoredOverride[];
  /** The seq of the last change of any price. */
  readonly lastSeq: number;
  /** The day of the list that this binary carries, `2026-07-02`. */
  readonly embeddedDay: string;
}

/**
 * The prices in force: the price list with every operator's price on top. A change makes a whole new catalogue, whose version is the
 * seq of that change: versions only grow, and a decision that names one tells which rows it was priced by.
 */
export class PriceBoard {
  #list: PriceList;
  #set: ReadonlyMap<string, SetPrice>;
  #current: Catalogue;
  readonly embeddedDay: string;

  /** `publish` is given the catalogue in force, now and after each change: who prices requests takes it over at once. */
  constructor(
    { list, overrides, lastSeq, embeddedDay }: PricesAtStart,
    private readonly publish: (catalogue: Catalogue) => void,
  ) {
    this.#list = list;
    this.embeddedDay = embeddedDay;
    this.#set = new Map(
      overrides.flatMap((row) => (row.price === null ? [] : [[nameOf(row.provider, row.model), setPriceOf(row, row.price)]])),
    );
    this.#current = withSet(list.catalogue, this.#set, lastSeq);
    publish(this.#current);
  }

  get current(): Catalogue {
    return this.#current;
  }

  /** The price list under what operators set. */
  get list(): PriceList {
    return this.#list;
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
    return withSet(this.#list.catalogue, set, this.#current.version);
  }

  /** The catalogue as it would be over another price list. */
  previewList(catalogue: Catalogue): Catalogue {
    return withSet(catalogue, this.#set, this.#current.version);
  }

  /** Takes over what was stored. */
  put(stored: StoredOverride): void {
    const set = new Map(this.#set);
    const name = nameOf(stored.provider, stored.model);
    if (stored.price === null) set.delete(name);
    else set.set(name, setPriceOf(stored, stored.price));
    this.#set = set;
    this.#takeOver(stored.seq);
  }

  /** Takes over another price list that was stored. Requests that are priced already keep the rates that they have. */
  putList(list: PriceList): void {
    this.#list = list;
    this.#takeOver(list.version.seq);
  }

  #takeOver(seq: number): void {
    this.#current = withSet(this.#list.catalogue, this.#set, seq);
    this.publish(this.#current);
  }
}

function nameOf(provider: string, model: string): string {
  return `${provider}/${model.toLowerCase()}`;
}

function setPriceOf({ provider, model, author, atMs }: StoredOverride, json: string): SetPrice {
  return { override: { provider, model, ...(JSON.parse(json) as OverrideParts) }, author, atMs };
}

function withSet(base: Catalogue, set: ReadonlyMap<string, SetPrice>, version: number): Catalogue {
  return base.withOverrides(
    [...set.values()].map(({ override }) => override),
    version,
  );
}
