import { Type, type TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import type { RawModel } from './import.ts';

/** A price list as it comes: `db/models.json`, or a document of the same form. */
export interface RawCatalogue {
  readonly providers: Readonly<Record<string, { readonly models: Readonly<Record<string, RawModel>> }>>;
  /** The day of the prices, `2026-07-02`. */
  readonly as_of?: string;
  /** Where it is from; a date in brackets at its end is its day where `as_of` is missing. */
  readonly source?: string;
}

/** A document that is no price list. `path` is the field, `message` a sentence about it. */
export class CatalogueProblem extends RangeError {
  override readonly name = 'CatalogueProblem';

  constructor(
    readonly path: string,
    what: string,
  ) {
    super(`${path}: ${what}`);
  }
}

/** A million USD for a million tokens: far above every price, far below where sums end. */
const MAX_AMOUNT = 1e15;
const MAX_TOKENS = 1e9;
const MAX_PROVIDERS = 200;
const MAX_TIERS = 20;
/** Names that every object has already: no list needs them. */
const RESERVED_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
/** `custom` is for what operators set; `catalogue` is taken by the routes. */
const RESERVED_PROVIDERS: ReadonlySet<string> = new Set(['custom', 'catalogue']);

const Amount = Type.Integer({ minimum: 0, maximum: MAX_AMOUNT });
const Tokens = Type.Integer({ minimum: 0, maximum: MAX_TOKENS });
const closed = { additionalProperties: false } as const;
const optionalAmounts = {
  cache_read: Type.Optional(Amount),
  cache_write: Type.Optional(Amount),
  reasoning: Type.Optional(Amount),
  input_audio: Type.Optional(Amount),
  output_audio: Type.Optional(Amount),
};
const part = { input: Type.Optional(Amount), output: Type.Optional(Amount), ...optionalAmounts };
const Words = Type.Array(Type.String({ minLength: 1, maxLength: 40 }), { maxItems: 20 });

/** A price part or limit that we do not know is refused, because it would be billed and not held; other members are for people. */
const Model = Type.Object({
  price: Type.Object({ input: Amount, output: Amount, ...optionalAmounts }, closed),
  tiers: Type.Optional(Type.Array(Type.Object({ above_input_tokens: Tokens, ...part }, closed), { maxItems: MAX_TIERS })),
  modes: Type.Optional(
    Type.Record(
      Type.String({ pattern: '^[a-z][a-z0-9_-]{0,39}$' }),
      Type.Object(
        {
          when: Type.Record(Type.String(), Type.String({ pattern: '^[a-z][a-z0-9_-]{0,39}$' })),
          price: Type.Object(part, closed),
        },
        closed,
      ),
      closed,
    ),
  ),
  limit: Type.Object({ context: Tokens, input: Type.Optional(Tokens), output: Tokens }, closed),
  modalities: Type.Object({ input: Words, output: Words }, closed),
});

const Frame = Type.Object({
  as_of: Type.Optional(Type.String({ pattern: '^\\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\\d|3[01])$' })),
  source: Type.Optional(Type.String({ maxLength: 500 })),
  providers: Type.Object({}),
});
const Provider = Type.Object({ models: Type.Object({}) });

/** The document, once it is known that every price and limit in it can be read. Throws `CatalogueProblem` for the first that cannot. */
export function checkDocument(json: unknown): RawCatalogue {
  check(Frame, json, '');
  const { providers } = json as RawCatalogue;
  const names = Object.keys(providers);
  if (names.length === 0) throw new CatalogueProblem('providers', 'holds no provider');
  if (names.length > MAX_PROVIDERS) throw new CatalogueProblem('providers', `holds more than ${MAX_PROVIDERS}`);
  for (const name of names) checkProvider(name, providers[name]);
  return json as RawCatalogue;
}

function checkProvider(name: string, json: unknown): void {
  const path = `providers${memberPath(name)}`;
  if (!/^[a-z0-9][a-z0-9._-]{0,59}$/.test(name) || RESERVED_NAMES.has(name) || RESERVED_PROVIDERS.has(name))
    throw new CatalogueProblem(path, 'is no name for a provider');
  check(Provider, json, path);
  const { models } = json as RawCatalogue['providers'][string];
  const folded = new Map<string, string>();
  for (const [id, model] of Object.entries(models)) {
    const place = `${path}.models${memberPath(id)}`;
    if (!/^[!-~]{1,200}$/.test(id) || RESERVED_NAMES.has(id)) throw new CatalogueProblem(place, 'is no name for a model');
    const twin = folded.get(id.toLowerCase());
    if (twin !== undefined) throw new CatalogueProblem(place, `is ${twin} in another spelling: the list has the model twice`);
    folded.set(id.toLowerCase(), id);
    check(Model, model, place);
  }
}

/** Throws `CatalogueProblem` where the value is not of this form. */
function check(schema: TSchema, json: unknown, path: string): void {
  const problem = Value.Errors(schema, json).First();
  if (problem === undefined) return;
  const place = `${path}${problem.path.replaceAll('/', '.')}`.replace(/^\./, '');
  throw new CatalogueProblem(place === '' ? 'document' : place.slice(0, 400), sentenceOf(problem.message));
}

function sentenceOf(message: string): string {
  return message === 'Unexpected property' ? 'is not known' : message.toLowerCase();
}

/** `.openai`, or `["gpt-4.1"]` where a dot would mislead. */
function memberPath(name: string): string {
  return /^[\w-]+$/.test(name) ? `.${name}` : `[${JSON.stringify(name.slice(0, 200))}]`;
}

/** The day of a document's prices, `2026-07-02`; null where it names none. */
export function dayOf({ as_of, source }: RawCatalogue): string | null {
  return as_of ?? /\((\d{4}-\d{2}-\d{2})\)$/.exec(source ?? '')?.[1] ?? null;
}
