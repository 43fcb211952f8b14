import { Elysia, type AnyElysia } from 'elysia';
import { Refusal } from '../../domain/errors.ts';
import type { Office } from '../../operator/office.ts';
import { priceRequestOf } from '../../operator/price-words.ts';
import { listPrices, onePrice, setPrice, unsetPrice } from '../../operator/prices.ts';
import { listJson } from '../render.ts';
import * as schemas from '../schemas/operator.ts';
import { catalogueRoutes } from './catalogue.ts';
import { priceJson } from './price-json.ts';
import type { Visits } from './visit.ts';

/** Names of models may hold slashes: all that follows the provider is the name. */
const ONE = '/prices/:provider/*';

/** Prices in force, and those that operators set. */
export function priceRoutes(office: Office, visits: Visits): AnyElysia {
  return new Elysia()
    .get(
      '/prices',
      ...visits.read(
        {
          operationId: 'list-prices',
          summary: 'Prices that operators set, or the whole list of a provider',
          query: schemas.PriceQuery,
          answer: schemas.PriceList,
        },
        ({ query }) => listJson(listPrices(office, query.provider ?? null).map(priceJson)),
      ),
    )
    .get(
      ONE,
      ...visits.read({ operationId: 'get-price', summary: 'The price of a model in force', answer: schemas.Price }, ({ params }) =>
        priceJson(onePrice(office, ...namesOf(params))),
      ),
    )
    .put(
      ONE,
      ...visits.write(
        {
          operationId: 'set-price',
          summary: 'Set the price of a model; what makes holds smaller has to be confirmed',
          body: schemas.PriceInput,
          query: schemas.ConfirmQuery,
          answer: schemas.Price,
          statuses: [409],
        },
        async ({ actor, params, body, query }) =>
          priceJson(await setPrice(office, actor, ...namesOf(params), priceRequestOf(body), query.confirm === 'true')),
      ),
    )
    .delete(
      ONE,
      ...visits.write(
        {
          operationId: 'unset-price',
          summary: 'Take an operator’s price away; what makes holds smaller has to be confirmed',
          query: schemas.ConfirmQuery,
          success: 204,
          statuses: [409],
        },
        ({ actor, params, query }) => unsetPrice(office, actor, ...namesOf(params), query.confirm === 'true'),
      ),
    )
    .use(catalogueRoutes(office, visits));
}

function namesOf(params: { readonly [name: string]: string }): [provider: string, model: string] {
  const model = decoded(params['*'] ?? '');
  if (!/^[!-~]{1,200}$/.test(model))
    throw new Refusal('invalid_value', 'The name of a model is 1 to 200 printable ASCII characters without spaces.', { param: 'model' });
  return [params['provider']!, model];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
