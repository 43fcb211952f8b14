import { expect, test } from 'bun:test';
import { exampleOf } from '../../../src/upstream/simulator/example.ts';

const tree = {
  $ref: '#/$defs/node',
  $defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' } }, required: ['next'] } },
};

const rows: readonly [unknown, unknown][] = [
  [{}, 'example'],
  [null, 'example'],
  [{ type: 'string', minLength: 10 }, 'example ex'],
  [{ type: 'string', maxLength: 2 }, 'ex'],
  [{ type: 'string', format: 'date' }, '2026-01-01'],
  [{ type: 'integer', minimum: 5 }, 5],
  [{ type: 'integer', exclusiveMinimum: 5 }, 6],
  [{ type: 'number', minimum: 0, maximum: 0.5 }, 0],
  [{ type: 'number', maximum: -2 }, -2],
  [{ type: 'integer', multipleOf: 7 }, 7],
  [{ type: 'boolean' }, true],
  [{ type: ['null', 'string'] }, null],
  [{ const: 0 }, 0],
  [{ enum: ['b', 'a'] }, 'b'],
  [{ default: [1] }, [1]],
  [{ anyOf: [{ type: 'integer' }, { type: 'null' }] }, 1],
  [{ type: 'array', items: { type: 'string' } }, []],
  [{ type: 'array', items: { type: 'integer' }, minItems: 2 }, [1, 1]],
  [{ type: 'object', properties: { a: { type: 'string' }, b: {} }, required: ['a'] }, { a: 'example' }],
  [{ properties: { a: { $ref: '#/$defs/x' } }, required: ['a'], $defs: { x: { const: 'y' } } }, { a: 'y' }],
  [
    {
      allOf: [
        { properties: { a: { const: 1 } }, required: ['a'] },
        { properties: { b: { const: 2 } }, required: ['b'] },
      ],
    },
    { a: 1, b: 2 },
  ],
];

test.each(rows)('%j', (schema, expected) => {
  expect(exampleOf(schema)).toEqual(expected);
});

test('a schema that needs itself ends', () => {
  expect(JSON.stringify(exampleOf(tree)).length).toBeLessThan(500);
});
