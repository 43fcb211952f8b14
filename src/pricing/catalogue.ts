import type { ProviderKind } from '../domain/project.ts';
import { ALIASES, type Alias, ROUTING_VARIANTS } from './aliases.ts';
import type { CatalogueModel, PriceOverride } from './catalogue-model.ts';
import { harmonize } from './harmonize.ts';
import { providerOf } from './hosts.ts';
import type { RawCatalogue } from './check-document.ts';
import { importModel } from './import.ts';
import { applyOverride } from './override.ts';

export type { CatalogueModel, PriceOverride } from './catalogue-model.ts';

type Shelf = ReadonlyMap<string, CatalogueModel>;

/** Where operator prices for servers that the catalogue does not know stand. */
const CUSTOM = 'custom';

/** All that is known about prices and limits. Never changes: a refresh or an override makes a new one. */
export class Catalogue {
  /** Which prices these are; decisions name it. Where nobody gave one it stands for the content: 48 bits, the same for the same prices. */
  readonly version: number;
  readonly #shelves: ReadonlyMap<string, Shelf>;

  private constructor(models: readonly CatalogueModel[], version: number | null) {
    const shelves = new Map<string, Map<string, CatalogueModel>>();
    for (const model of models) {
      const shelf = shelves.get(model.provider) ?? new Map<string, CatalogueModel>();
      shelf.set(model.id.toLowerCase(), model);
      shelves.set(model.provider, shelf);
    }
    this.#shelves = shelves;
    this.version = version ?? Number(Bun.hash.xxHash3(JSON.stringify(models)) & 0xffff_ffff_ffffn);
  }

  /**
   * Reads a document in the form of `db/models.json` and applies the rules for its traps. What comes from outside has to pass
   * `checkDocument` first. Throws a TypeError or RangeError, naming the place, when it is no such list.
   */
  static parse(json: unknown, version: number | null = null): Catalogue {
    const { providers } = json as RawCatalogue;
    const models: CatalogueModel[] = [];
    for (const [provider, { models: list }] of Object.entries(providers)) {
      for (const [id, raw] of Object.entries(list)) models.push(importModel(provider, id, raw));
    }
    return new Catalogue(harmonize(models), version);
  }

  /** The model behind a name at a connection, or null when nobody knows its price list. `name` is compared case-folded. */
  resolve(kind: ProviderKind, baseUrl: string | null, name: string): CatalogueModel | null {
    const provider = providerOf(kind, baseUrl);
    return provider === null ? this.#at(CUSTOM, name.toLowerCase()) : this.resolveIn(provider, name, kind === 'custom');
  }

  /** The model behind a name at a connection that is billed by this provider's list; `orCustom`: else by what operators set for servers of their own. */
  resolveIn(provider: string, name: string, orCustom: boolean): CatalogueModel | null {
    const folded = name.toLowerCase();
    const found = this.#named(provider, folded) ?? (orCustom ? this.#at(CUSTOM, folded) : null);
    if (found !== null || provider !== 'openrouter') return found;
    const variant = ROUTING_VARIANTS.find((suffix) => folded.endsWith(suffix));
    return variant === undefined ? null : this.#named(provider, folded.slice(0, -variant.length));
  }

  /** The model of this name in a provider's list, aliases included, or null. Both are compared case-folded. */
  find(provider: string, name: string): CatalogueModel | null {
    return this.#named(provider.toLowerCase(), name.toLowerCase());
  }

  /** Every provider that has a list, in the catalogue's order, and `custom`. */
  providers(): readonly string[] {
    return [...new Set([...this.#shelves.keys(), CUSTOM])];
  }

  /** Every model of a provider's list, in the catalogue's order. */
  modelsOf(provider: string): readonly CatalogueModel[] {
    return [...(this.#shelves.get(provider)?.values() ?? [])];
  }

  /** Every name that means something of its own in a provider's list: its models and aliases, folded. */
  namesOf(provider: string): readonly string[] {
    return [...(this.#shelves.get(provider)?.keys() ?? []), ...Object.keys(ALIASES[provider] ?? {})];
  }

  /** The models of a kind of provider, in the catalogue's order. */
  list(kind: ProviderKind): readonly CatalogueModel[] {
    return this.modelsOf(kind);
  }

  /** A new catalogue with an operator's prices on top, in order. */
  withOverrides(overrides: readonly PriceOverride[], version: number | null = null): Catalogue {
    if (overrides.length === 0 && (version ?? this.version) === this.version) return this;
    const models = new Map<string, CatalogueModel>();
    const keyOf = (provider: string, id: string): string => `${provider}\n${id.toLowerCase()}`;
    for (const shelf of this.#shelves.values()) for (const model of shelf.values()) models.set(keyOf(model.provider, model.id), model);
    for (const override of overrides) {
      const key = keyOf(override.provider, override.model);
      const current = models.get(key) ?? this.#named(override.provider, override.model.toLowerCase());
      models.set(key, applyOverride(override, current));
    }
    return new Catalogue([...models.values()], version);
  }

  #at(provider: string, folded: string): CatalogueModel | null {
    return this.#shelves.get(provider)?.get(folded) ?? null;
  }

  #named(provider: string, folded: string): CatalogueModel | null {
    // Gemini's own API writes `models/` in front of every name.
    const name = provider === 'google' && folded.startsWith('models/') ? folded.slice(7) : folded;
    const own = this.#at(provider, name);
    if (own !== null) return own;
    const aliases = ALIASES[provider];
    return aliases && Object.hasOwn(aliases, name) ? this.#aliased(provider, name, aliases[name]!) : null;
  }

  #aliased(provider: string, name: string, alias: Alias): CatalogueModel | null {
    const model = this.#at(alias.provider ?? provider, alias.id);
    if (model === null) return null;
    if (alias.price === undefined && alias.provider === undefined) return model;
    const price = alias.price === undefined ? model.price : { ...model.price, ...alias.price, cacheRead: null, cacheWrite: null };
    return { ...model, provider, id: name, price };
  }
}
