import { gzipSync } from 'node:zlib';

/** A body that wants to do harm. */
export interface Hostile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** True when two readers could disagree on it, or nobody should have to read it: it must be refused. */
  readonly mustRefuse: boolean;
}

/** The routes for applications that take bodies, each with an ordinary one. */
export const BASES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  '/v1/chat/completions': { model: 'gpt-4.1-mini', messages: [{ role: 'user', content: 'Name a tree.' }], max_tokens: 50 },
  '/v1/responses': { model: 'gpt-4.1-mini', input: 'Name a tree.', max_output_tokens: 50 },
  '/v1/embeddings': { model: 'text-embedding-3-small', input: 'oak' },
};

/** A number from 0 to below 1, the same on every run. */
export type Random = () => number;

type Make = (
  base: Readonly<Record<string, unknown>>,
  random: Random,
) => Omit<Hostile, 'name' | 'mustRefuse'> & { readonly mustRefuse?: boolean };

const refuse = (text: string | Uint8Array): { bytes: Uint8Array; mustRefuse: true } => ({
  bytes: Buffer.from(text as string),
  mustRefuse: true,
});
const maybe = (text: string): { bytes: Uint8Array } => ({ bytes: Buffer.from(text) });
const json = (value: unknown): string => JSON.stringify(value);
const pick = <Value>(random: Random, values: readonly Value[]): Value => values[Math.floor(random() * values.length)]!;

/** The object's text with more members, put before or after its own. */
function withMember(base: Readonly<Record<string, unknown>>, member: string, random: Random): string {
  const text = json(base);
  return random() < 0.5 ? `{${member},${text.slice(1)}` : `${text.slice(0, -1)},${member}}`;
}

function nested(depth: number, random: Random): string {
  const [open, close] = pick(random, [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const);
  return `${open.repeat(depth)}1${close.repeat(depth)}`;
}

const ESCAPED: Readonly<Record<string, string>> = {
  model: '\\u006dodel',
  messages: 'messag\\u0065s',
  input: '\\u0069nput',
  max_tokens: 'max\\u005ftokens',
};
const BAD_UTF8 = [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82], [0x80], [0xf8, 0x88, 0x80, 0x80, 0x80]];
const NOT_JSON = [
  'NaN',
  'Infinity',
  '-Infinity',
  '0x10',
  '01',
  '.5',
  '5.',
  '+1',
  "'x'",
  'undefined',
  '1_000',
  '"\t"',
  '"\\x41"',
  '"\\u12"',
  'tru',
  '[1,]',
  '{,}',
  '{a:1}',
];
const WILD_NUMBERS = [
  '1e400',
  '-1e400',
  '1e-400',
  '-0',
  '9007199254740993',
  '123456789012345678901234567890',
  '0.1e1',
  '5e-324',
  '1E+2',
  '2.5',
  '-1',
  '0',
  '1e9',
];
const WILD_VALUES = [...WILD_NUMBERS, 'null', 'true', '""', '[]', '{}', '"50"', '[50]', '{"max":50}'];
const NUMBER_FIELDS = [
  'max_tokens',
  'max_completion_tokens',
  'max_output_tokens',
  'n',
  'temperature',
  'top_logprobs',
  'seed',
  'dimensions',
  'best_of',
  'max_tool_calls',
];
const SURROGATES = ['\\ud800', '\\udc00', '\\ud800\\ud800', '\\udc00\\ud800', '\\ud83d', 'a\\udfffb'];
const NAMES_OF_OBJECTS = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__', ''];
const MODELS = [
  '../../etc/passwd',
  'gpt-4.1-mini\u0000',
  'GPT-4.1-MINI',
  ' gpt-4.1-mini',
  'a'.repeat(70_000),
  'https://example.com/x',
  'gpt\r\nx-evil: 1',
  '%00',
  '*',
  'gpt-4.1-mini:online',
  '\u202egpt',
];

/** Every kind of attack, one body of it for a base. */
const KINDS: Readonly<Record<string, Make>> = {
  'a name twice': (base, random) =>
    refuse(withMember(base, `${json(pick(random, Object.keys(base)))}:${pick(random, ['"gpt-4.1"', '1', 'null', '[]'])}`, random)),
  'a name twice, once escaped': (base, random) => {
    const name = pick(
      random,
      Object.keys(base).filter((one) => one in ESCAPED),
    );
    return refuse(withMember(base, `"${ESCAPED[name]}":"gpt-4.1"`, random));
  },
  'a name twice, further down': (base, random) => {
    const depth = Math.floor(random() * 40);
    return refuse(withMember(base, `"metadata":${'{"x":'.repeat(depth)}{"k":"1","k":"2"}${'}'.repeat(depth)}`, random));
  },
  'a byte-order mark': (base) => refuse(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(json(base))])),
  'UTF-16': (base) => refuse(Buffer.from(json(base), 'utf16le')),
  'invalid UTF-8': (base, random) => {
    const bytes = Buffer.from(json({ ...base, user: 'MARK' }));
    const at = bytes.indexOf('MARK');
    return refuse(Buffer.concat([bytes.subarray(0, at), Buffer.from(pick(random, BAD_UTF8)), bytes.subarray(at)]));
  },
  'too deep': (base, random) =>
    refuse(withMember(base, `"metadata":${nested(64 + Math.floor(random() * pick(random, [10, 1_000, 100_000])), random)}`, random)),
  'deep, but not too deep': (base, random) =>
    maybe(withMember(base, `"metadata":${nested(1 + Math.floor(random() * 60), random)}`, random)),
  'too many members': (base, random) =>
    refuse(withMember(base, `"metadata":[${'0,'.repeat(100_001 + Math.floor(random() * 100_000))}0]`, random)),
  'not JSON': (base, random) => refuse(withMember(base, `"metadata":${pick(random, NOT_JSON)}`, random)),
  'cut off': (base, random) => refuse(json(base).slice(0, Math.floor(random() * (json(base).length - 1)))),
  'more after the end': (base, random) => refuse(json(base) + pick(random, ['{}', 'x', '\u0000', ']', json(base), '\n//', ','])),
  'not an object': (_base, random) => refuse(pick(random, ['[]', '"x"', '1', 'null', 'true', '', ' ', '[{"model":"gpt-4.1-mini"}]'])),
  'a control character': (base, random) => refuse(withMember(base, `"user":"a${String.fromCharCode(Math.floor(random() * 32))}b"`, random)),
  'a wild number': (base, random) =>
    maybe(withMember(without(base, NUMBER_FIELDS), `"${pick(random, NUMBER_FIELDS)}":${pick(random, WILD_VALUES)}`, random)),
  'two caps': (base, random) =>
    maybe(
      withMember(
        without(base, NUMBER_FIELDS),
        `"max_tokens":${pick(random, WILD_VALUES)},"max_completion_tokens":${pick(random, WILD_VALUES)}`,
        random,
      ),
    ),
  'a lone surrogate': (base, random) => maybe(withMember(base, `"user":"${pick(random, SURROGATES)}"`, random)),
  'a lone surrogate as a name': (base, random) => maybe(withMember(base, `"${pick(random, SURROGATES)}":1`, random)),
  'a name of every object': (base, random) =>
    maybe(
      withMember(
        base,
        `${json(pick(random, NAMES_OF_OBJECTS))}:${pick(random, ['{"model":"gpt-4.1","stream":true}', '1', 'null', '{"toString":1}'])}`,
        random,
      ),
    ),
  'a name of every object, further down': (base, random) =>
    maybe(withMember(base, `"metadata":{${json(pick(random, NAMES_OF_OBJECTS))}:{"isAdmin":true}}`, random)),
  'a strange model': (base, random) => maybe(json({ ...base, model: pick(random, MODELS) })),
  'a field of another type': (base, random) =>
    maybe(
      json({
        ...base,
        [pick(random, [...Object.keys(base), 'stream', 'tools', 'stream_options', 'user', 'stop'])]: pick(random, [
          null,
          1,
          'x',
          [],
          {},
          [[]],
          true,
        ]),
      }),
    ),
  'white space': (base, random) =>
    maybe(`${' \n\r\t'.repeat(Math.floor(random() * 5_000))}${json(base)}${' \n'.repeat(Math.floor(random() * 5_000))}`),
  'space that is none': (base, random) => refuse(pick(random, ['\u00a0', '\ufeff', '\u2028', '\u000b']) + json(base)),
  '10 MB': (base, random) => maybe(withMember(base, `"user":"${pick(random, ['a', '\\u0061', '\\n'])}${'b'.repeat(10_000_000)}"`, random)),
  'more than may be sent': (base) => refuse(withMember(base, `"user":"${'b'.repeat(33 * 1024 * 1024)}"`, () => 1)),
  'a gzip bomb': (base) => ({
    ...refuse(gzipSync(withMember(base, `"user":"${'0'.repeat(20_000_000)}"`, () => 1))),
    headers: { 'content-encoding': 'gzip' },
  }),
  'gzip without saying so': (base) => refuse(gzipSync(json(base))),
  'another character set': (base, random) => ({
    ...refuse(json(base)),
    headers: { 'content-type': `application/json; charset=${pick(random, ['utf-16', 'latin1', 'utf-7'])}` },
  }),
  'a form': (base) => ({ ...refuse(json(base)), headers: { 'content-type': 'multipart/form-data; boundary=x' } }),
};

/** Kinds that cost so much that they come only this often among `count`. */
const RARE = new Set(['10 MB', 'more than may be sent', 'a gzip bomb', 'too many members']);
const RARE_EVERY = 100;

function without(base: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(base).filter(([name]) => !names.includes(name)));
}

/** `count` bodies for a base, every kind in its turn. */
export function* hostileBodies(base: Readonly<Record<string, unknown>>, count: number, random: Random): Generator<Hostile> {
  const common = Object.entries(KINDS).filter(([name]) => !RARE.has(name));
  const rare = Object.entries(KINDS).filter(([name]) => RARE.has(name));
  const rareEvery = Math.min(RARE_EVERY, Math.ceil(count / rare.length));
  for (let index = 0; index < count; index++) {
    const [name, make] = index % rareEvery === 0 ? rare[(index / rareEvery) % rare.length]! : common[index % common.length]!;
    yield { mustRefuse: false, ...make(base, random), name };
  }
}
