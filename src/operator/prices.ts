import { Refusal } from '../domain/errors.ts';
import type { CatalogueModel, Limits, Price } from '../pricing/catalogue-model.ts';
import { auditOf, type Actor, type Office } from './office.ts';
import type { OverrideParts, SetPrice } from './price-board.ts';
import { lowersHold } from './price-change.ts';

/** A model's price in force, and what an operator set of it. */
export interface StandingPrice {
  readonly model: CatalogueModel;
  readonly set: SetPrice | null;
  /** The version of the whole price list: decisions name it. */
  readonly version: number;
}

/** What an operator sets: nano-USD per million tokens, and tokens. What is left out stays as the catalogue has it. */
export interface PriceRequest {
  readonly price: Partial<Price>;
  readonly limits: Partial<Limits>;
}

/** The prices of a provider's models, or those that operators set. */
export function listPrices(office: Office, provider: string | null): StandingPrice[] {
  const { prices } = office;
  const { current } = prices;
  if (provider !== null)
    return current.modelsOf(knownProvider(office, provider)).map((model) => standing(office, model, model.provider, model.id));
  return prices.overrides().flatMap(({ override }) => {
    const model = current.find(override.provider, override.model);
    return model === null ? [] : [standing(office, model, override.provider, override.model)];
  });
}

/** The price in force. Throws a Refusal when nobody knows the model. */
export function onePrice(office: Office, provider: string, name: string): StandingPrice {
  const model = office.prices.current.find(knownProvider(office, provider), name);
  if (model === null)
    throw new Refusal('unknown_resource', `No price is known for ${JSON.stringify(`${provider}/${name}`.slice(0, 200))}.`);
  return standing(office, model, provider.toLowerCase(), name);
}

/**
 * Sets an operator's price; the next request is priced by it. What makes a hold smaller than it is now has to be confirmed,
 * because a price that is too low lets more be spent than was meant.
 */
export function setPrice(
  office: Office,
  actor: Actor,
  provider: string,
  model: string,
  request: PriceRequest,
  confirmed: boolean,
): Promise<StandingPrice> {
  const known = knownProvider(office, provider);
  return office.turns.take('prices', async () => {
    const parts = partsOf(request);
    const before = office.prices.current.find(known, model);
    const after = office.prices.preview(known, model, parts).find(known, model)!;
    if (after.unpriced)
      throw new Refusal('missing_field', 'Nobody knows a price for this model yet: give both input_usd and output_usd.', {
        param: parts.price.input === undefined ? 'input_usd' : 'output_usd',
      });
    if (!confirmed) refuseLowering(before, after);
    await store(office, actor, known, model, parts);
    return onePrice(office, known, model);
  });
}

/** Takes an operator's price away: the catalogue's counts again, or none. The same confirmation as for setting one. */
export function unsetPrice(office: Office, actor: Actor, provider: string, model: string, confirmed: boolean): Promise<void> {
  const known = knownProvider(office, provider);
  return office.turns.take('prices', async () => {
    if (office.prices.override(known, model) === null)
      throw new Refusal('unknown_resource', `No operator has set a price for ${JSON.stringify(`${known}/${model}`.slice(0, 200))}.`);
    const before = office.prices.current.find(known, model);
    if (!confirmed) refuseLowering(before, office.prices.preview(known, model, null).find(known, model));
    await store(office, actor, known, model, null);
  });
}

async function store(office: Office, actor: Actor, provider: string, model: string, parts: OverrideParts | null): Promise<void> {
  const before = office.prices.override(provider, model)?.override;
  const audit = auditOf(actor, parts === null ? 'price.unset' : 'price.set', `${provider}/${model}`, {
    before: before === undefined ? null : partsOf({ price: before.price, limits: before.limits ?? {} }),
    after: parts,
  });
  const json = parts === null ? null : JSON.stringify(parts);
  office.prices.put(await office.store.setPrice(provider, model, json, actor.id, audit));
}

function refuseLowering(before: CatalogueModel | null, after: CatalogueModel | null): void {
  const lowered = lowersHold(before, after);
  if (lowered !== null)
    throw new Refusal(
      'conflict',
      `This makes holds smaller: ${lowered}. If the figure is right, repeat it with ?confirm=true (CLI: --yes).`,
    );
}

function standing(office: Office, model: CatalogueModel, provider: string, name: string): StandingPrice {
  return { model, set: office.prices.override(provider, name), version: office.prices.current.version };
}

/** What is stored of a request. */
export function partsOf({ price, limits }: PriceRequest): OverrideParts {
  return Object.keys(limits).length === 0 ? { price } : { price, limits };
}

/** The provider as price lists name it. Throws a Refusal when there is no price list of it. */
export function knownProvider({ prices }: Office, provider: string): string {
  const folded = provider.toLowerCase();
  const known = prices.list.catalogue.providers();
  if (known.includes(folded)) return folded;
  throw new Refusal(
    'unknown_resource',
    `There is no price list of ${JSON.stringify(provider.slice(0, 60))}. Known are ${known.join(', ')}.`,
  );
}
