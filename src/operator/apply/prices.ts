import type { OverrideParts } from '../price-board.ts';
import { lowersHold } from '../price-change.ts';
import { priceRequestOf, priceWords } from '../price-words.ts';
import { knownProvider, partsOf } from '../prices.ts';
import type { PriceEntry } from './document.ts';
import { at, plainChanges, type Draft } from './plan.ts';
import { wrong } from './read.ts';

/** Prices that operators set. */
export function planPrices(draft: Draft): void {
  if (draft.file.prices === undefined) return;
  const { prices } = draft.office;
  const named = new Set<string>();
  for (const [index, entry] of draft.file.prices.entries()) {
    const path = `prices.${index}`;
    const provider = at(path, () => knownProvider(draft.office, entry.provider));
    const name = nameOf(provider, entry.model);
    if (named.has(name)) throw wrong(`${path}.model`, `The price of ${name} stands twice in the file.`);
    named.add(name);
    planPrice(draft, path, provider, entry);
  }
  for (const { override } of prices.overrides()) {
    const { provider, model } = override;
    if (!named.has(nameOf(provider, model))) planAbsent(draft, provider, model);
  }
}

function planPrice(draft: Draft, path: string, provider: string, entry: PriceEntry): void {
  const { prices } = draft.office;
  const { provider: _provider, model, ...words } = entry;
  if (Object.keys(words).length === 0) throw wrong(path, 'A price needs at least one figure, such as input_usd.');
  const parts = partsOf(priceRequestOf(words));
  const standing = prices.override(provider, model)?.override ?? null;
  const after = prices.preview(provider, model, parts).find(provider, model)!;
  if (after.unpriced) throw wrong(path, 'Nobody knows a price for this model yet: give both input_usd and output_usd.');
  const lowered = lowersHold(prices.current.find(provider, model), after);
  const before = standing === null ? {} : priceWords(standing);
  const fields = plainChanges(before, priceWords(parts)).map((change) => ({ ...change, loosens: lowered !== null }));
  const name = `${provider}/${model}`;
  const confirm = lowered === null || fields.length === 0 ? [] : [`make holds of ${name} smaller: ${lowered}`];
  const facts = { noun: 'price', name, fields, confirm } as const;
  if (standing === null) draft.create(facts);
  else draft.change(facts);
  if (fields.length > 0) setPriceStep(draft, provider, model, standing, parts);
}

function planAbsent(draft: Draft, provider: string, model: string): void {
  const { prices } = draft.office;
  const lowered = lowersHold(prices.current.find(provider, model), prices.preview(provider, model, null).find(provider, model));
  const name = `${provider}/${model}`;
  const confirm = `take the price of ${name} away${lowered === null ? '' : `: ${lowered}`}`;
  const step = { do: 'setPrice', provider, model, price: null, author: draft.actor.id } as const;
  const before = priceWords(prices.override(provider, model)!.override);
  const fields = plainChanges(before, {}).map((change) => ({ ...change, loosens: lowered !== null }));
  draft.absent({ noun: 'price', name, removable: true, confirm }, step, 'price.unset', name, fields);
}

function setPriceStep(draft: Draft, provider: string, model: string, before: OverrideParts | null, parts: OverrideParts): void {
  const step = { do: 'setPrice', provider, model, price: JSON.stringify(parts), author: draft.actor.id } as const;
  draft.step(step, 'price.set', `${provider}/${model}`, {
    before: before && partsOf({ price: before.price, limits: before.limits ?? {} }),
    after: parts,
  });
}

function nameOf(provider: string, model: string): string {
  return `${provider}/${model.toLowerCase()}`;
}
