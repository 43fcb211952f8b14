import { isDeepStrictEqual } from 'node:util';
import { formatUsd } from '../domain/money.ts';
import { LIMIT_FIELDS, LIMIT_PARTS, PRICE_FIELDS } from '../domain/price-fields.ts';
import type { CatalogueModel, Price } from '../pricing/catalogue-model.ts';
import type { Catalogue } from '../pricing/catalogue.ts';
import { lowersHold, type UnknownModelPrice } from './price-change.ts';

/** A field of a model before and after: USD for a million tokens, tokens or words; null where there is none. */
export interface FieldChange {
  readonly field: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** What becomes of a name in a provider's list. */
export interface ModelChange {
  readonly provider: string;
  readonly model: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly fields: readonly FieldChange[];
  /** What makes holds smaller by it, in words for people, or null. */
  readonly lowers: string | null;
}

/** What another price list would change. Operators' own prices stand on both. */
export interface CatalogueDiff {
  /** How many models the list has after it. */
  readonly models: number;
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  /** Those that make holds smaller first. */
  readonly changes: readonly ModelChange[];
}

/** Compares all that requests could be priced by: every name of every list, aliases included. `unknown` are the prices that policies hold for models without one. */
export function compareCatalogues(before: Catalogue, after: Catalogue, unknown: readonly UnknownModelPrice[]): CatalogueDiff {
  const providers = new Set([...before.providers(), ...after.providers()]);
  const changes = [...providers].flatMap((provider) => providerChanges(before, after, provider, unknown));
  const owned = changes.filter(({ fields }) => fields.length > 0);
  const count = (kind: ModelChange['change']) => owned.filter(({ change }) => change === kind).length;
  return {
    models: after.providers().reduce((sum, provider) => sum + after.modelsOf(provider).length, 0),
    added: count('added'),
    removed: count('removed'),
    changed: count('changed'),
    changes: changes.toSorted((a, b) => Number(b.lowers !== null) - Number(a.lowers !== null)),
  };
}

function providerChanges(before: Catalogue, after: Catalogue, provider: string, unknown: readonly UnknownModelPrice[]): ModelChange[] {
  const [old, fresh] = [shelfOf(before, provider), shelfOf(after, provider)];
  // A server that has no price for a name is billed by what operators set for servers of their own.
  const fallbacks = before.namesOf('custom');
  const names = new Set([...before.namesOf(provider), ...after.namesOf(provider), ...fallbacks]);
  return [...names].flatMap((name) => {
    const lowers =
      loweredName(before, after, provider, name, false, unknown) ??
      (fallbacks.length === 0 ? null : loweredName(before, after, provider, name, true, unknown));
    const [was, is] = [old.get(name) ?? null, fresh.get(name) ?? null];
    const fields = isDeepStrictEqual(was, is) ? [] : changedFields(was, is);
    if (fields.length === 0 && lowers === null) return [];
    const change = was === null && is !== null ? 'added' : was !== null && is === null ? 'removed' : 'changed';
    return [{ provider, model: (is ?? was)?.id ?? name, change, fields, lowers }];
  });
}

function shelfOf(catalogue: Catalogue, provider: string): ReadonlyMap<string, CatalogueModel> {
  return new Map(catalogue.modelsOf(provider).map((model) => [model.id.toLowerCase(), model]));
}

function loweredName(
  before: Catalogue,
  after: Catalogue,
  provider: string,
  name: string,
  orCustom: boolean,
  unknown: readonly UnknownModelPrice[],
): string | null {
  const [was, is] = [before.resolveIn(provider, name, orCustom), after.resolveIn(provider, name, orCustom)];
  if (isDeepStrictEqual(was, is)) return null;
  for (const price of [null, ...unknown]) {
    const lowered = lowersHold(was, is, price);
    if (lowered !== null) return lowered;
  }
  // Images are counted by the name of the model.
  const isOther = was !== null && is !== null && was.id.toLowerCase() !== is.id.toLowerCase();
  return isOther ? `the name stands for ${was.id} now and would stand for ${is.id}` : null;
}

/** What is different between two models, by field. */
function changedFields(before: CatalogueModel | null, after: CatalogueModel | null): FieldChange[] {
  const [old, fresh] = [fieldsOf(before), fieldsOf(after)];
  const names = new Set([...old.keys(), ...fresh.keys()]);
  return [...names]
    .filter((name) => old.get(name) !== fresh.get(name))
    .map((field) => ({ field, before: old.get(field) ?? null, after: fresh.get(field) ?? null }));
}

function fieldsOf(model: CatalogueModel | null): ReadonlyMap<string, string> {
  if (model === null) return new Map();
  const { price, tiers, serviceTiers, limits, unpriced, modalities } = model;
  return new Map([
    ...(unpriced ? [['priced', 'no'] as const] : priceFields('', price)),
    ...tiers.flatMap((tier) => priceFields(`above_${tier.aboveInputTokens}.`, tier.price)),
    ...Object.entries(serviceTiers).flatMap(([name, listed]) => priceFields(`${name}.`, listed)),
    ...LIMIT_PARTS.flatMap((name) => (limits[name] === null ? [] : [[LIMIT_FIELDS[name], String(limits[name])] as const])),
    ['answers_with', modalities.output.join(', ')],
    ['takes', modalities.input.join(', ')],
  ]);
}

function priceFields(prefix: string, price: Price): (readonly [string, string])[] {
  return (Object.keys(PRICE_FIELDS) as (keyof Price)[]).flatMap((part) => {
    const amount = price[part];
    return amount === null ? [] : [[prefix + PRICE_FIELDS[part], formatUsd(amount)] as const];
  });
}
