import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import type { BodyEdit } from '../../src/domain/facts.ts';
import { editBody } from '../../src/wire/edit.ts';
import { JsonBody, parseBody } from '../../src/wire/json.ts';

function edited(source: string, edits: readonly BodyEdit[]): string {
  const body = parseBody(new TextEncoder().encode(source));
  if (!(body instanceof JsonBody)) throw new Error(body.message);
  return new TextDecoder().decode(editBody(body, edits));
}

const set = (path: string, json: string): BodyEdit => ({ path: path.split('.'), json });
const remove = (path: string): BodyEdit => ({ path: path.split('.'), json: null });

const rows: readonly [string, string, readonly BodyEdit[], string][] = [
  ['no edits', ' {"a": 1.0 } ', [], ' {"a": 1.0 } '],
  ['adds to an empty object', ' { } ', [set('a', '1')], ' {"a":1 } '],
  ['adds last', '{"a":1}', [set('b', '2'), set('c', '[3]')], '{"a":1,"b":2,"c":[3]}'],
  ['adds behind odd spacing', '{\n  "a": 1\n}\n', [set('b', '2')], '{\n  "a": 1,"b":2\n}\n'],
  ['replaces a value only', '{"a" : 1e2 , "b":2}', [set('a', '7')], '{"a" : 7 , "b":2}'],
  ['replaces under an escaped name', '{"\\u0061":1}', [set('a', '7')], '{"\\u0061":7}'],
  ['removes the first', '{ "a":1, "b":2 }', [remove('a')], '{ "b":2 }'],
  ['removes the middle', '{"a":1 , "b":2 , "c":3}', [remove('b')], '{"a":1 , "c":3}'],
  ['removes the last', '{"a":1, "b":2\n}', [remove('b')], '{"a":1\n}'],
  ['removes the only one', '{ "a":1 }', [remove('a')], '{ }'],
  ['removes all and adds', '{"a":1,"b":2}', [remove('a'), remove('b'), set('c', '3')], '{"c":3}'],
  ['removes the first two', '{ "a":1, "b":2, "c":3 }', [remove('a'), remove('b')], '{ "c":3 }'],
  ['removes what is not there', '{"a":1}', [remove('b'), remove('c.d')], '{"a":1}'],
  ['makes a parent', '{"a":1}', [set('o.x', 'true')], '{"a":1,"o":{"x":true}}'],
  ['makes a parent with two members', '{}', [set('o.x', '1'), set('o.y', '2')], '{"o":{"x":1,"y":2}}'],
  ['replaces a null parent', '{"o": null,"b":1}', [set('o.x', '1')], '{"o": {"x":1},"b":1}'],
  ['replaces a parent that is no object', '{"o":"s"}', [set('o.x', '1')], '{"o":{"x":1}}'],
  ['leaves a null parent when it only removes', '{"o":null}', [remove('o.x')], '{"o":null}'],
  ['adds inside', '{"o":{"k":"v"},"b":1}', [set('o.x', '1')], '{"o":{"k":"v","x":1},"b":1}'],
  ['adds inside an empty parent', '{"o":{ }}', [set('o.x', '1')], '{"o":{"x":1 }}'],
  ['replaces inside', '{"o":{"x": false , "k":1}}', [set('o.x', 'true')], '{"o":{"x": true , "k":1}}'],
  ['removes inside', '{"o":{"x":1,"k":2}}', [remove('o.x')], '{"o":{"k":2}}'],
  ['does not take a deeper name', '{"b":{"a":1},"a":2}', [set('a', '3')], '{"b":{"a":1},"a":3}'],
  ['the later edit wins', '{"a":1}', [set('a', '2'), set('a', '3'), remove('a'), set('a', '4')], '{"a":4}'],
  ['edits inside what it has just set', '{"a":1}', [set('o', '{"k":1}'), set('o.x', '2')], '{"a":1,"o":{"k":1,"x":2}}'],
  ['sets again what it removed', '{"o":{"k":1}}', [remove('o'), set('o.x', '2')], '{"o":{"x":2}}'],
  ['writes names and values beyond ASCII', '{"ö":1}', [set('ö', '"ü"'), set('ß', '2')], '{"ö":"ü","ß":2}'],
  [
    'keeps big integers, escapes and spacing',
    '{"seed":12345678901234567890,"t":1.0,"s":"\\u00e9\\/",  "m":[ ]}',
    [set('max_tokens', '10'), set('stream_options.include_usage', 'true')],
    '{"seed":12345678901234567890,"t":1.0,"s":"\\u00e9\\/",  "m":[ ],"max_tokens":10,"stream_options":{"include_usage":true}}',
  ],
];

describe('editBody', () => {
  test.each(rows)('%s', (_, source, edits, expected) => {
    expect(edited(source, edits)).toBe(expected);
  });

  test('without edits the very same array comes back', () => {
    const body = parseBody(new TextEncoder().encode('{"a":1}')) as JsonBody;
    expect(editBody(body, [])).toBe(body.bytes);
  });

  test.each([[[]], [['a', 'b', 'c']]])('the path %p is an error of ours', (path) => {
    const body = parseBody(new TextEncoder().encode('{}')) as JsonBody;
    expect(() => editBody(body, [{ path, json: '1' }])).toThrow(RangeError);
  });
});

type Tree = Record<string, unknown>;

/** The same edits on a parsed object. */
function applied(value: Tree, edits: readonly BodyEdit[]): Tree {
  const out: Tree = { ...value };
  for (const { path, json } of edits) {
    const [parent, child] = path as [string, string | undefined];
    if (child === undefined) put(out, parent, json);
    else if (isTree(out[parent])) out[parent] = put({ ...out[parent] }, child, json);
    else if (json !== null) out[parent] = { [child]: JSON.parse(json) as unknown };
  }
  return out;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function put(tree: Tree, name: string, json: string | null): Tree {
  if (json === null) delete tree[name];
  else tree[name] = JSON.parse(json);
  return tree;
}

/** A value with its exact source: big integers, escapes and spacing that no serialiser would write. */
const sources = fc.constantFrom(
  '12345678901234567890',
  '1.0',
  '-0',
  '1E+2',
  '"\\u00e9\\/\\ud800"',
  '"a,b:{\\"c\\"}"',
  '[ 1 ,{"a":[ ]} ]',
  '{ }',
  '{"x" :1, "y": {"x":2}}',
  '{"y":null}',
  'null',
  'true',
);
const names = fc.constantFrom('a', 'b', 'c', 'x');
const members = fc.uniqueArray(fc.tuple(names, sources), { selector: ([name]) => name });
const gaps = fc.constantFrom('', ' ', '\n  ');
const editLists = fc.uniqueArray(
  fc.record({
    path: fc.oneof(fc.tuple(names), fc.tuple(names, fc.constantFrom('x', 'y', 'z'))),
    json: fc.option(fc.constantFrom('1', '"s"', '{"x":1}', '[]', 'null')),
  }),
  { maxLength: 5, selector: ({ path }) => path.join('.') },
);

test('any edits do what they would do to the object, and leave the rest byte for byte', () => {
  fc.assert(
    fc.property(members, gaps, editLists, (list, gap, edits) => {
      const source = `${gap}{${gap}${list.map(([name, value]) => `"${name}"${gap}:${gap}${value}`).join(`${gap},${gap}`)}${gap}}${gap}`;
      const out = edited(source, edits);
      expect(JSON.parse(out)).toEqual(applied(JSON.parse(source) as Tree, edits));
      const touched = new Set(edits.map(({ path }) => path[0]));
      const whole = parseBody(new TextEncoder().encode(out)) as JsonBody;
      for (const [name, value] of list) {
        if (touched.has(name)) continue;
        const { keyStart, valueEnd } = whole.member(name)!;
        expect(new TextDecoder().decode(whole.bytes.subarray(keyStart, valueEnd))).toBe(`"${name}"${gap}:${gap}${value}`);
      }
    }),
    { numRuns: 1000 },
  );
});
