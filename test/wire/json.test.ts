import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { Refusal } from '../../src/domain/errors.ts';
import { JsonBody, parseBody } from '../../src/wire/json.ts';

const encode = (text: string) => new TextEncoder().encode(text);

function accepted(text: string): JsonBody {
  const body = parseBody(encode(text));
  if (body instanceof Refusal) throw new Error(`refused: ${body.reason} ${body.message}`);
  return body;
}

function refused(bytes: Uint8Array): Refusal {
  const refusal = parseBody(bytes);
  if (refusal instanceof JsonBody) throw new Error('was not refused');
  return refusal;
}

const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
const elements = (count: number) => `{"a":[${Array.from({ length: count }, () => '1').join(',')}]}`;

describe('refusals', () => {
  const rows: readonly [string, string | number[], string, RegExp][] = [
    ['nothing', '', 'invalid_json', /no body/],
    ['a byte-order mark', '\ufeff{}', 'invalid_json', /byte-order mark/],
    ['only white space', ' \n', 'invalid_json', /not a JSON object/],
    ['an array', '[1]', 'invalid_json', /not a JSON object/],
    ['a string', '"a"', 'invalid_json', /not a JSON object/],
    ['null', 'null', 'invalid_json', /not a JSON object/],
    ['a lone byte of UTF-8', [0x7b, 0x22, 0x61, 0xff, 0x22, 0x3a, 0x31, 0x7d], 'invalid_utf8', /UTF-8/],
    ['an overlong slash', [0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d], 'invalid_utf8', /UTF-8/],
    ['a surrogate in bytes', [0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d], 'invalid_utf8', /UTF-8/],
    ['UTF-16', [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00], 'invalid_utf8', /UTF-8/],
    ['a second object', '{"a":1} {"a":1}', 'invalid_json', /goes on .* byte 8/],
    ['a letter behind', '{}x', 'invalid_json', /goes on/],
    ['a NUL behind', '{}\0', 'invalid_json', /goes on/],
    ['no end', '{"a":1', 'invalid_json', /ends before/],
    ['no end of a string', '{"a":"b', 'invalid_json', /ends before/],
    ['no end behind a backslash', '{"a":"b\\', 'invalid_json', /ends before/],
    ['no end of a long string', `{"a":"${'b'.repeat(100)}\\"`, 'invalid_json', /ends before/],
    ['a comma too many', '{"a":1,}', 'invalid_json', /not valid JSON/],
    ['a comment', '{/* */"a":1}', 'invalid_json', /not valid JSON/],
    ['a bare name', '{a:1}', 'invalid_json', /not valid JSON/],
    ['NaN', '{"a":NaN}', 'invalid_json', /not valid JSON/],
    ['a leading zero', '{"a":01}', 'invalid_json', /not valid JSON/],
    ['single quotes', "{'a':1}", 'invalid_json', /not valid JSON/],
    ['a raw tab in a string', '{"a":"\t"}', 'invalid_json', /not valid JSON/],
    ['crossed brackets', '{"a":[1}]', 'invalid_json', /./],
    ['65 levels', nested(65), 'too_deep', /64 levels/],
    ['a million levels without an end', `{"a":${'['.repeat(1_000_000)}`, 'too_deep', /64 levels/],
    ['100,001 members', elements(100_000), 'too_many_members', /100,000/],
    ['a name twice', '{"a":1,"a":1}', 'duplicate_key', /"a" comes twice/],
    ['a name twice, once escaped', '{"a":1,"\\u0061":2}', 'duplicate_key', /"a" comes twice/],
    ['a name twice deep down', '{"x":{"y":[0,{"z":1,"k":[],"z":2}]}}', 'duplicate_key', /"x\.y\.1\.z" comes twice/],
    ['__proto__ twice', '{"__proto__":1,"__proto__":2}', 'duplicate_key', /__proto__/],
    ['an empty name twice', '{"":1,"":2}', 'duplicate_key', /twice/],
    ['an index twice', '{"1":1,"1":2}', 'duplicate_key', /twice/],
    ['a name twice, the first an object', '{"a":{"b":1,"c":2},"a":0}', 'duplicate_key', /"a" comes twice/],
  ];
  test.each(rows)('%s', (_, source, reason, message) => {
    const refusal = refused(typeof source === 'string' ? encode(source) : Uint8Array.from(source));
    expect(refusal.reason as string).toBe(reason);
    expect(refusal.message).toMatch(message);
    expect(refusal.status).toBe(400);
  });

  test('a duplicate is named by its path', () => {
    expect(refused(encode('{"messages":[{"role":"user","role":"system"}]}')).options.param).toBe('messages.0.role');
  });
});

test('a long name is not echoed whole', () => {
  const name = 'n'.repeat(10_000);
  expect(refused(encode(`{"${name}":1,"${name}":2}`)).message.length).toBeLessThan(400);
});

describe('what passes', () => {
  const rows: readonly [string, string][] = [
    ['nothing inside', '{}'],
    ['white space of all kinds', ' \r\n\t{ "a" : [ ] , "b" : { } } \n'],
    ['64 levels', nested(64)],
    ['100,000 members', elements(99_999)],
    ['100,000 members and empty pairs', `{"a":[${Array.from({ length: 99_999 }, () => '[ ]').join(',')}]}`],
    ['the same name in two objects', '{"a":{"k":1},"b":{"k":1},"k":[{"k":1},{"k":1}]}'],
    ['names that only look alike', '{"a":1,"A":2,"a ":3,"\\u0061b":4}'],
    ['colons, braces and quotes in strings', '{"a":"{\\"b\\":[1,2,{\\"b\\":3}]}","c":"\\\\","d":"\\\\\\""}'],
    ['names with colons and quotes', '{"a:\\"b":1,"a":{"\\\\":2}}'],
    ['names that objects inherit', '{"__proto__":{"a":1},"constructor":1,"toString":2,"hasOwnProperty":3}'],
    ['names like numbers', '{"1":1,"01":2,"-1":3,"1.0":4}'],
    ['a lone surrogate as an escape', '{"a":"\\ud800"}'],
    ['a number past every double', '{"a":1e400,"b":-0,"c":123456789012345678901234567890}'],
    ['text of several scripts', '{"a":"żółć 漢字 🌟","ключ":1}'],
    ['a string with many backslashes', `{"a":"${'\\\\'.repeat(64)}","b":"${'\\"'.repeat(65)}"}`],
  ];
  test.each(rows)('%s', (_, source) => {
    const body = accepted(source);
    expect(body.value).toEqual(JSON.parse(source) as Record<string, unknown>);
    expect(body.bytes).toEqual(encode(source));
  });

  test('__proto__ is a member and changes nothing', () => {
    const { value } = accepted('{"__proto__":{"polluted":true}}');
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });
});

describe('member', () => {
  const source = ' { "a" : 12345678901234567890 ,"b":[1,{"a":2}], "\\u0063":"x\\"y" , "é" : {} } ';
  const rows: readonly [string, string, string][] = [
    ['a', '"a"', '12345678901234567890'],
    ['b', '"b"', '[1,{"a":2}]'],
    ['c', '"\\u0063"', '"x\\"y"'],
    ['é', '"é"', '{}'],
  ];
  test.each(rows)('%s', (name, key, value) => {
    const body = accepted(source);
    const span = body.member(name)!;
    const text = (from: number, to: number) => new TextDecoder().decode(body.bytes.subarray(from, to));
    expect(text(span.keyStart, span.keyEnd)).toBe(key);
    expect(text(span.valueStart, span.valueEnd)).toBe(value);
  });
  test.each(['', 'd', 'aa', 'A', 'u0063'])('%p is not there', (name) => {
    expect(accepted(source).member(name)).toBeNull();
  });
});

/** JSON with white space wherever it may stand. */
function spaced(value: unknown, space: string): string {
  if (Array.isArray(value)) return `[${space}${value.map((item) => spaced(item, space)).join(`${space},${space}`)}${space}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}${space}:${space}${spaced(item, space)}`);
  return `${space}{${space}${members.join(`${space},${space}`)}${space}}${space}`;
}

const objects = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }), { noNullPrototype: true });
const spaces = fc.constantFrom('', ' ', '\n\t', '  \r\n');

describe('properties', () => {
  test('any object passes, and its members stand where they are said to stand', () => {
    fc.assert(
      fc.property(objects, spaces, (value, space) => {
        const body = accepted(spaced(value, space));
        const expected = JSON.parse(spaced(value, space)) as Record<string, unknown>;
        expect(body.value).toEqual(expected);
        for (const name of Object.keys(expected)) {
          const { valueStart, valueEnd } = body.member(name)!;
          expect(JSON.parse(new TextDecoder().decode(body.bytes.subarray(valueStart, valueEnd)))).toEqual(expected[name]);
        }
      }),
    );
  });

  test('a name that comes twice is found at any depth, and only then', () => {
    const names = fc.constantFrom('a', 'b', 'c', '__proto__', '\\u0061', 'd\\"', 'e:');
    const { tree } = fc.letrec<{ tree: { text: string; twice: boolean } }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom('1', '"a:b,{"', 'null').map((text) => ({ text, twice: false })),
        fc.array(tie('tree'), { maxLength: 3 }).map((items) => ({
          text: `[${items.map((item) => item.text).join(',')}]`,
          twice: items.some((item) => item.twice),
        })),
        fc.array(fc.tuple(names, tie('tree')), { maxLength: 4 }).map((members) => ({
          text: `{${members.map(([name, item]) => `"${name}":${item.text}`).join(',')}}`,
          twice:
            members.some(([, item]) => item.twice) ||
            new Set(members.map(([name]) => JSON.parse(`"${name}"`) as string)).size < members.length,
        })),
      ),
    }));
    fc.assert(
      fc.property(tree, ({ text, twice }) => {
        const body = parseBody(encode(`{"root":${text}}`));
        expect(body instanceof Refusal && body.reason === 'duplicate_key').toBe(twice);
      }),
      { numRuns: 500 },
    );
  });

  test('damaged bodies never throw, and pass only where JSON.parse takes them', () => {
    const damage = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.boolean());
    fc.assert(
      fc.property(objects, spaces, fc.array(damage, { maxLength: 3 }), (value, space, damages) => {
        const bytes = [...encode(spaced(value, space))];
        for (const [at, byte, insert] of damages) bytes.splice(at % (bytes.length + 1), insert ? 0 : 1, byte);
        const body = parseBody(Uint8Array.from(bytes));
        const native = nativeParse(Uint8Array.from(bytes));
        if (body instanceof JsonBody) expect(body.value).toEqual(native as Record<string, unknown>);
        else if (native !== null) expect(body.reason).toBe('duplicate_key');
      }),
      { numRuns: 500 },
    );
  });
});

function nativeParse(bytes: Uint8Array): unknown {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    return typeof value === 'object' && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
