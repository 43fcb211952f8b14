import { Type, type Static } from '@sinclair/typebox';
import { closed, listOf, named, nullable, oneOf } from './named.ts';

const Usd = Type.String({ pattern: '^\\d{1,6}(\\.\\d{1,9})?$', description: 'USD for a million tokens.', examples: ['1.25'] });
const Tokens = Type.Integer({ minimum: 1, maximum: 1e9 });

const amounts = {
  input_usd: Usd,
  output_usd: Usd,
  cache_read_usd: nullable(Usd, { description: 'Input that the provider had cached; null is as input.' }),
  cache_write_usd: nullable(Usd, { description: 'Input that the provider puts into its cache; null is held at twice the input.' }),
  reasoning_usd: nullable(Usd, { description: 'Null is as output.' }),
  input_audio_usd: nullable(Usd, { description: 'Null is as input.' }),
  output_audio_usd: nullable(Usd, { description: 'Null is as output.' }),
};
const limits = {
  context_tokens: nullable(Tokens, { description: 'Null is unknown.' }),
  max_input_tokens: nullable(Tokens),
  max_output_tokens: nullable(Tokens),
};

/** What `PUT /admin/v1/prices/{provider}/{model}` takes: the whole override. What is left out stays as the catalogue has it. */
export const PriceInput = named(
  'PriceInput',
  closed(
    {
      input_usd: Type.Optional(Usd),
      output_usd: Type.Optional(Usd),
      cache_read_usd: Type.Optional(Usd),
      cache_write_usd: Type.Optional(Usd),
      reasoning_usd: Type.Optional(Usd),
      input_audio_usd: Type.Optional(Usd),
      output_audio_usd: Type.Optional(Usd),
      context_tokens: Type.Optional(Tokens),
      max_input_tokens: Type.Optional(Tokens),
      max_output_tokens: Type.Optional(Tokens),
    },
    { minProperties: 1 },
  ),
);

/** A price in force. */
export const Price = named(
  'Price',
  Type.Object({
    provider: Type.String({ description: 'A provider of the catalogue, or custom.' }),
    model: Type.String(),
    source: oneOf(['catalogue', 'operator']),
    priced: Type.Boolean({ description: 'False when nobody knows the price: requests are refused where money is limited.' }),
    ...amounts,
    ...limits,
    override: nullable(PriceInput, { description: 'What an operator set of it, or null.' }),
    author: nullable(Type.String()),
    set_at: nullable(Type.String()),
    price_version: Type.Integer({ description: 'The version of the whole price list; decisions name it.' }),
  }),
);
export const PriceList = listOf('PriceList', Price);

/** Parameters of `GET /admin/v1/prices`. */
export const PriceQuery = closed({
  provider: Type.Optional(Type.String({ description: 'The whole list of a provider; only prices that operators set when absent.' })),
});

/** Parameters of what may make holds smaller. */
export const ConfirmQuery = closed({
  confirm: Type.Optional(oneOf(['true', 'false'], { description: '`true` where a hold gets smaller by this.' })),
});

export type PriceInputJson = Static<typeof PriceInput>;
export type PriceJson = Static<typeof Price>;
