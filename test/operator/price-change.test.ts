import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import type { ProviderKind } from '../../src/domain/project.ts';
import { compareCatalogues } from '../../src/operator/catalogue-diff.ts';
import { Catalogue } from '../../src/pricing/catalogue.ts';
import { checkDocument } from '../../src/pricing/check-document.ts';
import { profileOf } from '../../src/pricing/profiles.ts';
import { makeQuote } from '../../src/pricing/quote.ts';
import { factsOf, pricingRules } from '../support/facts.ts';

const amount = fc.integer({ min: 0, max: 6 }).map((usd) => usd * 1_000_000_000);
const maybe = <T>(arb: fc.Arbitrary<T>) => fc.option(arb, { nil: undefined, freq: 2 });
const optional = {
  cache_read: maybe(amount),
  cache_write: maybe(amount),
  reasoning: maybe(amount),
  input_audio: maybe(amount),
  output_audio: maybe(amount),
};
const limit = fc.constantFrom(0, 1_000, 4_000_000, 64_000);
const model = fc
  .record({
    price: fc.record({ input: amount, output: amount, ...optional }),
    tiers: maybe(
      fc.array(fc.record({ above_input_tokens: fc.constantFrom(100, 5_000, 20_000), input: maybe(amount), output: maybe(amount) }), {
        maxLength: 2,
      }),
    ),
    modes: maybe(
      fc.constantFrom('priority', 'flex').chain((tier) =>
        fc.record({
          fast: fc.record({ when: fc.constant({ service_tier: tier }), price: fc.record({ input: amount, output: amount }) }),
        }),
      ),
    ),
    limit: fc.record({ context: limit, input: maybe(limit), output: limit }),
    modalities: fc.record({ input: fc.constant(['text']), output: fc.constantFrom(['text'], ['text', 'image'], ['text', 'audio']) }),
  })
  .map((value) => JSON.parse(JSON.stringify(value)) as object);

/** Aliases, variants and the same model at two places are in here. */
const NAMES = {
  openai: ['gpt-4', 'gpt-4-0613', 'gpt-3.5-turbo', 'text-embedding-3-small'],
  openrouter: ['openai/gpt-4', 'openai/gpt-4:nitro', 'x-latest', 'y:free'],
} as const;
const PLACES = Object.entries(NAMES).flatMap(([provider, names]) => names.map((name) => [provider, name] as const));

type Raw = Readonly<Record<string, { readonly models: Readonly<Record<string, object>> }>>;

const list = fc
  .tuple(...PLACES.map(() => fc.option(model, { nil: null, freq: 3 })))
  .map((models) => PLACES.reduce((raw, [provider, name], index) => withModel(raw, provider, name, models[index]!), {} as Raw));

function withModel(raw: Raw, provider: string, name: string, fresh: object | null): Raw {
  const { [name]: _old, ...models } = raw[provider]?.models ?? {};
  return { ...raw, [provider]: { models: fresh === null ? models : { ...models, [name]: fresh } } };
}

/** A list and one in which a single model is another, gone or new, as a whole or in one of its parts: nothing else hides what it does. */
const pair = list.chain((before) =>
  fc
    .tuple(
      fc.constantFrom(...PLACES),
      fc.option(model, { nil: null, freq: 8 }),
      fc.constantFrom(null, 'price', 'tiers', 'modes', 'limit', 'modalities'),
    )
    .map(([[provider, name], fresh, part]) => {
      const old = before[provider]?.models[name];
      const { [part ?? '']: _gone, ...rest } = { ...(old as Record<string, unknown> | undefined) };
      const inPart = fresh !== null && part !== null && old !== undefined;
      const changed = inPart ? { ...rest, ...Object.fromEntries(Object.entries(fresh).filter(([key]) => key === part)) } : fresh;
      return [before, withModel(before, provider, name, changed), provider as ProviderKind, name] as const;
    }),
);

const catalogueIn = (providers: Raw) => Catalogue.parse(checkDocument({ providers }), 1);

const override = maybe(fc.record({ input: amount, output: amount }));
const place = fc.constantFrom<readonly [ProviderKind, string | null]>(
  ['openai', null],
  ['openrouter', null],
  ['custom', 'https://api.openai.com/v1'],
  ['custom', 'https://openrouter.ai/api/v1'],
  ['custom', 'http://127.0.0.1:1234/v1'],
);
const asked = fc.constantFrom(...NAMES.openai, ...NAMES.openrouter, 'mine', 'openai/gpt-4:floor');
const body = fc.record({
  service_tier: maybe(fc.constantFrom('priority', 'flex', 'default', 'constructor')),
  reasoning_effort: maybe(fc.constantFrom('low', 'none')),
  max_tokens: maybe(fc.constantFrom(5, 100_000)),
  cache_control: maybe(fc.constant({ type: 'ephemeral', ttl: '1h' })),
  image: fc.boolean(),
  length: fc.constantFrom(0, 200, 6_000, 25_000),
});

function factsFor(route: 'chat' | 'embeddings', name: string, { image, length, ...members }: Record<string, unknown>) {
  const text = 'a'.repeat(length as number);
  if (route === 'embeddings') return factsOf('embeddings', { model: name, input: text });
  const content = image
    ? [
        { type: 'text', text },
        { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
      ]
    : text;
  return factsOf(
    'chat',
    JSON.parse(JSON.stringify({ model: name, messages: [{ role: 'user', content }], ...members })) as Record<string, unknown>,
  );
}

type Request = readonly [
  'chat' | 'embeddings',
  readonly [ProviderKind, string | null],
  string,
  string | undefined,
  Record<string, unknown>,
];

/** Two of three requests ask for the model that changed. */
const aim =
  (kind: ProviderKind, name: string) =>
  (request: Request, index: number): Request =>
    index % 3 === 2 ? request : [request[0], [kind, null], name, undefined, request[4]];

test('whenever a request would be quoted less, the change has to be confirmed', () => {
  let lower = 0;
  let quiet = 0;
  const unknown = maybe(fc.record({ input: amount, output: amount }));
  fc.assert(
    fc.property(
      fc.tuple(pair, override, unknown),
      fc.array(fc.tuple(fc.constantFrom('chat', 'embeddings'), place, asked, maybe(asked), body), { minLength: 1, maxLength: 12 }),
      ([[one, other, changedAt, changedName], mine, unknownModelPrice], requests) => {
        const overrides =
          mine === undefined
            ? []
            : [
                { provider: 'custom', model: 'mine', price: mine },
                { provider: 'custom', model: 'gpt-4', price: mine },
              ];
        const [before, after] = [catalogueIn(one).withOverrides(overrides, 1), catalogueIn(other).withOverrides(overrides, 1)];
        const rules = pricingRules({ unknownModelPrice: unknownModelPrice ?? null });
        const { changes } = compareCatalogues(before, after, unknownModelPrice === undefined ? [] : [unknownModelPrice]);
        const lowered = changes.some(({ lowers }) => lowers !== null);
        if (!lowered) quiet++;
        for (const [route, [kind, baseUrl], name, fallback, parts] of requests.map(aim(changedAt, changedName))) {
          const facts = factsFor(route, name, parts);
          const quoteIn = (catalogue: Catalogue) => {
            const reach = [name, ...(fallback === undefined ? [] : [fallback])].map((each) => catalogue.resolve(kind, baseUrl, each));
            return makeQuote(facts, reach, profileOf(kind, baseUrl), rules, 1);
          };
          const [was, is] = [quoteIn(before), quoteIn(after)];
          if (!was.priced) continue;
          const bounds = ['inputHoldNanoUsd', 'outputNanoUsdPerMillion', 'inputTokenBound', 'modelOutputLimit', 'outputFloor'] as const;
          const less = !is.priced ? 'priced' : bounds.find((part) => is[part] < was[part]);
          // Audio may have got its price; pictures have none in a list.
          const forgot = was.unpricedFeature?.includes('image') && is.unpricedFeature === null ? was.unpricedFeature : undefined;
          if (less === undefined && forgot === undefined) continue;
          lower++;
          if (!lowered) throw new Error(`${name} at ${kind} ${baseUrl}: ${less ?? forgot} ${JSON.stringify([was, is])}`);
        }
      },
    ),
    { numRuns: 600 },
  );
  // It said nothing about many a pair, and there were many requests that it had to speak about.
  expect([lower > 50, quiet > 50]).toEqual([true, true]);
});

describe('one model', () => {
  const RAW = {
    price: { input: 2, output: 8, cache_read: 1 },
    tiers: [{ above_input_tokens: 100, input: 4, output: 16 }],
    modes: { fast: { when: { service_tier: 'priority' }, price: { input: 6, output: 30 } } },
    limit: { context: 1_000, output: 500 },
    modalities: { input: ['text'], output: ['text', 'image'] },
  };
  const catalogueOf = (raw: object | null) =>
    Catalogue.parse(checkDocument({ providers: { openai: { models: raw === null ? {} : { m: raw } } } }), 1);
  const why = (raw: object | null, before: object | null = RAW, unknown: readonly { input: number; output: number }[] = []) =>
    compareCatalogues(catalogueOf(before), catalogueOf(raw), unknown).changes.find(({ model: id }) => id === 'm')?.lowers ?? null;
  const { tiers: _tiers, ...untiered } = RAW;
  const { modes: _modes, ...unmoded } = RAW;

  test.each<[string, object | null, string | null]>([
    ['the same', RAW, null],
    ['a dearer input', { ...RAW, price: { ...RAW.price, input: 3 } }, null],
    ['a cheaper output', { ...RAW, price: { ...RAW.price, output: 7 } }, 'output is 0.000000008 USD now'],
    ['a cheaper cached input', { ...RAW, price: { ...RAW.price, cache_read: 0.5 * 2 - 1 + 1 } }, null],
    ['a lost tier', untiered, 'input above 100 tokens is'],
    ['a tier that begins later', { ...RAW, tiers: [{ ...RAW.tiers[0], above_input_tokens: 200 }] }, 'input above 100 tokens is'],
    ['a tier that begins earlier', { ...RAW, tiers: [{ ...RAW.tiers[0], above_input_tokens: 50 }] }, null],
    ['a lost list for a service tier', unmoded, 'at service tier priority is'],
    ['a smaller context', { ...RAW, limit: { context: 999, output: 500 } }, 'the context limit would be 999'],
    ['a smaller output limit', { ...RAW, limit: { context: 1_000, output: 499 } }, 'the output limit would be 499'],
    ['a larger output limit', { ...RAW, limit: { context: 1_000, output: 501 } }, null],
    ['a forgotten medium', { ...RAW, modalities: { input: ['text'], output: ['text'] } }, 'answers with image now'],
    ['no price', { ...RAW, price: { input: 0, output: 0 } }, 'no price any more'],
    ['gone', null, 'no price any more'],
  ])('%s', (_, raw, sentence) => {
    const found = why(raw);
    expect(found === null || sentence === null ? found : found.includes(sentence)).toBe(sentence === null ? null : true);
  });

  test('a new model lowers nothing, except where a policy has a dearer price for unknown ones', () => {
    expect(why(RAW, null)).toBeNull();
    expect(why(RAW, null, [{ input: 1, output: 1 }])).toContain('context limit');
    expect(why(RAW, null, [{ input: 100, output: 100 }])).toContain('input is');
  });

  test('the report counts and names the fields', () => {
    const { models, added, removed, changed, changes } = compareCatalogues(
      catalogueOf(RAW),
      catalogueOf({ ...RAW, price: { ...RAW.price, input: 3 } }),
      [],
    );
    expect({ models, added, removed, changed }).toEqual({ models: 1, added: 0, removed: 0, changed: 1 });
    expect(changes[0]?.fields).toContainEqual({ field: 'input_usd', before: '0.000000002', after: '0.000000003' });
  });
});
