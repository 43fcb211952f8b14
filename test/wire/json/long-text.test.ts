import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { Refusal } from '../../../src/domain/errors.ts';
import type { RequestFacts } from '../../../src/domain/facts.ts';
import { readFacts } from '../../../src/wire/facts.ts';
import { JsonBody, parseBody } from '../../../src/wire/json.ts';

type Facts = RequestFacts | Refusal;
const bytesOf = (text: string) => new TextEncoder().encode(text);
const PROSE = 'It was a bright cold day, and \\"the clocks\\" were striking.\\n';
/** The source of a string that is long enough, with `middle` in it. */
const long = (middle = '') => `${PROSE.repeat(20)}${middle}${PROSE.repeat(20)}`;

function bodyOf(source: string | Uint8Array): JsonBody {
  const body = parseBody(typeof source === 'string' ? bytesOf(source) : source);
  if (body instanceof Refusal) throw new Error(`refused: ${body.message}`);
  return body;
}

/** Facts without the fingerprint, which goes by how a long text is spelt. */
function facts(found: Facts): unknown {
  if (found instanceof Refusal) return { reason: found.reason, message: found.message };
  return { ...found, fingerprint: 0n };
}

/** What the outline says must be what the whole says. */
function expectSameFacts(body: JsonBody): void {
  for (const route of ['chat', 'responses', 'embeddings'] as const)
    expect(facts(readFacts(route, body.outline, body.longTexts))).toEqual(facts(readFacts(route, body.value)));
}

const chat = (content: string, more = '') => `{"model":"m","messages":[{"role":"user","content":"${content}"}]${more}}`;

describe('a long text stays unread', () => {
  test.each<[string, string]>([
    ['plain', chat('x'.repeat(3_000))],
    ['escapes', chat(long())],
    ['every short escape', chat(long('\\"\\\\\\/\\b\\f\\n\\r\\t\x7f'))],
    ['a backslash before the end', chat(long() + '\\\\')],
    ['white space before it', `{"model":"m","messages":[{"content" \n : \t"${long()}"}]}`],
    ['a part', `{"model":"m","messages":[{"content":[{"type":"text","text":"${long()}"}]}],"é":"\\u00e9"}`],
    [
      'arguments of a tool',
      `{"model":"m","messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":{"text":"${long('\\/')}"}}}]}]}`,
    ],
    [
      'a schema',
      `{"model":"m","messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":{"enum":[{"text":"${long('\\/')}","é":"\\\\u"}]}}}]}`,
    ],
    ['a prediction', chat('a', `,"prediction":{"type":"content","content":"${long()}"}`)],
    ['input and instructions', `{"model":"m","input":"${long()}","instructions":"${long('i')}"}`],
    ["a tool's output", `{"model":"m","input":[{"type":"function_call_output","output":"${long()}"}]}`],
  ])('%s', (_, source) => {
    const body = bodyOf(source);
    expect(body.longTexts.size).toBeGreaterThan(0);
    expect(JSON.stringify(body.outline).length).toBeLessThan(1_000);
    expect(body.value).toEqual(JSON.parse(source) as Record<string, unknown>);
    expectSameFacts(body);
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7])('wherever it begins and ends: %p', (pad) => {
    const source = chat(`${'x'.repeat(pad)}${long()}\\n${'y'.repeat(pad)}`, ' '.repeat(pad));
    expect(bodyOf(source).longTexts.size).toBe(1);
    expectSameFacts(bodyOf(source));
    const inside = new Uint8Array(source.length + pad);
    inside.set(bytesOf(source), pad);
    expectSameFacts(bodyOf(inside.subarray(pad)));
  });
});

describe('what is read as a whole', () => {
  test.each<[string, string]>([
    ['a short text', chat('x'.repeat(2_000))],
    ['another name', `{"model":"m","messages":[],"user":"${long()}"}`],
    ['a name that ends so', `{"model":"m","messages":[],"a\\"text":"${long()}"}`],
    ['an element', `{"model":"m","input":["${long()}"]}`],
    ['an escape of a character', chat(long('\\u00e9'))],
    ['a character outside of ASCII', chat(long('é'))],
    ['a lone surrogate', chat(long('\\ud800'))],
  ])('%s', (_, source) => {
    const body = bodyOf(source);
    expect(body.longTexts.size).toBe(0);
    expect(body.value).toEqual(JSON.parse(source) as Record<string, unknown>);
  });

  test.each(['\\udc00', '\\uDC00', '\\uDc00'])('a body that could say a placeholder: %p', (mark) => {
    const [placeholder] = bodyOf(chat(long())).longTexts.keys();
    const forged = chat(long(), `,"user":"${mark}${placeholder!.slice(1)}","metadata":{"text":"${mark}${placeholder!.slice(1)}"}`);
    const before = chat(long()).replace('{', `{"user":"${mark}${placeholder!.slice(1)}",`);
    for (const source of [forged, before]) {
      expect(bodyOf(source).longTexts.size).toBe(0);
      expectSameFacts(bodyOf(source));
    }
  });
});

test('each byte, wherever it stands in a long text, is plain or not as it is for a reader of the whole', () => {
  const source = bytesOf(chat('x'.repeat(3_000)));
  const middle = source.indexOf(0x78) + 1_500;
  for (let byte = 0; byte < 256; byte++) {
    const isPlain = byte >= 0x20 && byte < 0x80 && byte !== 0x22 && byte !== 0x5c;
    for (let place = 0; place < 8; place++) {
      const bytes = source.slice();
      bytes[middle + place] = byte;
      const body = parseBody(bytes);
      expect([byte, place, !(body instanceof Refusal) && body.longTexts.size]).toEqual([byte, place, isPlain ? 1 : false]);
      if (!(body instanceof Refusal)) expect(body.value).toEqual(nativeParse(bytes) as Record<string, unknown>);
    }
  }
  // Each first byte of a character outside of ASCII, 0xdc among them.
  for (let code = 0x80; code < 0x800; code += 0x20)
    for (let place = 0; place < 4; place++) {
      const text = `${'x'.repeat(1_500 + place)}${String.fromCharCode(code)}${'x'.repeat(1_500)}`;
      expect(bodyOf(chat(text)).longTexts.size).toBe(0);
    }
});

describe('damage in a long text is seen', () => {
  test.each<[string, string]>([
    ['a tab', '\t'],
    ['a line break', '\n'],
    ['a NUL', '\0'],
    ['an escape that is none', '\\x'],
    ['half an escape', '\\u12'],
    ['a quote', '"'],
    ['a last control character', '\x1f'],
  ])('%s', (_, damage) => {
    for (let pad = 0; pad < 8; pad++) {
      const refusal = parseBody(bytesOf(chat(long('x'.repeat(pad) + damage))));
      expect(refusal instanceof Refusal && refusal.reason).toBe('invalid_json');
    }
  });

  test('a name twice is found between long texts', () => {
    const refusal = parseBody(bytesOf(chat(long(), `,"messages":[{"content":"${long()}"}]`)));
    expect(refusal instanceof Refusal && refusal.reason).toBe('duplicate_key');
  });
});

describe('comparing', () => {
  const fingerprint = (source: string) => {
    const body = bodyOf(source);
    return (readFacts('chat', body.outline, body.longTexts) as RequestFacts).fingerprint;
  };

  test('the same text has the same fingerprint, another one another', () => {
    expect(fingerprint(chat(long('a'), ',"temperature":1'))).toBe(fingerprint(` ${chat(long('a'))}`));
    expect(fingerprint(chat(long('a')))).not.toBe(fingerprint(chat(long('b'))));
  });

  test.each(['', '\\"', '\\/', '\\n\\/'])('a placeholder says all that is counted, so that equal ones count alike: %j', (middle) => {
    for (const [placeholder, { textBytes, jsonBytes }] of bodyOf(chat(long(middle))).longTexts) {
      expect(placeholder.slice(1).split('.').slice(0, 2)).toEqual([String(textBytes), String(jsonBytes)]);
      expect(jsonBytes).toBe(Buffer.byteLength(JSON.stringify(JSON.parse(`"${long(middle)}"`))));
    }
  });

  test('calls with the same long arguments are repeats', () => {
    const call = (text: string) => `{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":{"text":"${text}"}}}]}`;
    const repeats = (...texts: string[]) => {
      const body = bodyOf(`{"model":"m","messages":[${texts.map(call).join(',')}]}`);
      expect(body.longTexts.size).toBeGreaterThan(0);
      return (readFacts('chat', body.outline, body.longTexts) as RequestFacts).repeatedToolCalls;
    };
    expect(repeats(long(), long(), long())).toBe(2);
    expect(repeats(long('a'), long('b'))).toBe(0);
  });
});

/** Pieces of the source of a string, some of them damaged. */
const piece = fc.constantFrom(
  'a b',
  '\\"',
  '\\\\',
  '\\/',
  '\\n',
  '\x7f',
  '{"text":',
  '\\\\udc00',
  'é',
  '\\u0041',
  '\\ud83d',
  '\\udc00',
  '\\x',
  '\t',
  '"',
  '漢',
  '🌟',
);
const safe = fc.constantFrom('a b', '\\"', '\\\\', '\\/', '\\n', '\x7f', '{\\"text\\":', '\\\\udc00');
const filled = fc
  .tuple(
    fc.array(safe, { minLength: 1, maxLength: 12 }),
    fc.integer({ min: 1, max: 400 }),
    fc.array(fc.oneof({ weight: 9, arbitrary: safe }, piece), { maxLength: 4 }),
  )
  .map(([pieces, times, more]) => pieces.join('').repeat(times) + more.join(''));
const name = fc.constantFrom('content', 'text', 'input', 'output', 'instructions', 'url', 'arguments', 'a\\"text', 'c\\u006fntent');
const space = fc.constantFrom('', ' ', '\n\t');
const { tree } = fc.letrec<{ tree: string }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    filled.map((text) => `"${text}"`),
    fc.constantFrom('1', 'null', '1e400', '{}', '[]'),
    fc.array(tie('tree'), { maxLength: 3 }).map((items) => `[${items.join(',')}]`),
    fc
      .array(fc.tuple(name, space, tie('tree')), { maxLength: 3 })
      .map((all) => `{${all.map(([key, gap, item]) => `"${key}"${gap}:${gap}${item}`).join(',')}}`),
  ),
}));

/** LONG_TEXT_RUNS asks for more: 12,000 take 25 seconds. */
const RUNS = Number(process.env['LONG_TEXT_RUNS'] ?? 700);

test('bodies of any kind, whole and damaged, are taken and counted as if they were read as a whole', () => {
  const damage = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.boolean());
  let outlined = 0;
  fc.assert(
    fc.property(tree, filled, tree, fc.array(damage, { maxLength: 2 }), fc.boolean(), (message, text, input, damages, isDamaged) => {
      const source = `{"model":"m","messages":[{"role":"user","content":${message}},{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":${input}}}]}],"instructions":"${text}","input":${input}}`;
      const bytes = [...bytesOf(source)];
      if (isDamaged) for (const [at, byte, insert] of damages) bytes.splice(at % (bytes.length + 1), insert ? 0 : 1, byte);
      const body = parseBody(Uint8Array.from(bytes));
      const native = nativeParse(Uint8Array.from(bytes));
      if (body instanceof Refusal) {
        if (native !== null) expect(body.reason).toBe('duplicate_key');
        return;
      }
      if (body.longTexts.size > 0) outlined++;
      expect(native).not.toBeNull();
      expect(body.value).toEqual(native as Record<string, unknown>);
      expectSameFacts(body);
    }),
    { numRuns: RUNS },
  );
  expect(outlined).toBeGreaterThan(RUNS / 10);
}, 60_000);

function nativeParse(bytes: Uint8Array): unknown {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    return typeof value === 'object' && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
