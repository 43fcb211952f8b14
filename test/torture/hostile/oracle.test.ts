import { describe, expect, test } from 'bun:test';
import { BASES, hostileBodies } from './bodies.ts';
import { differences, hasTwin, type Judged } from './oracle.ts';
import { diceOf } from '../kit/dice.ts';

describe('a reader of its own', () => {
  test.each([
    ['{"a":1,"a":2}', true],
    ['{"a":1,"\\u0061":2}', true],
    ['{"x":[{"k":1},{"k":1,"k":2}]}', true],
    ['{"a":{"a":1},"b":["a","a"]}', false],
    ['{"a":"{\\"a\\":1}","b":"\\\\"}', false],
  ])('%s: twice: %p', (text, twice) => {
    expect(hasTwin(text)).toBe(twice);
  });

  test('another model, stream, number or cap is seen', () => {
    const judged: Judged = { model: 'm', requestedModel: null, stream: 0, choices: 1, clientOutputCap: 5 };
    const bytes = (body: object) => new TextEncoder().encode(JSON.stringify(body));
    expect(differences(judged, bytes({ model: 'm', max_tokens: 5 }))).toEqual([]);
    expect(differences(judged, bytes({ model: 'n', stream: true, n: 2, max_tokens: 6 }))).toHaveLength(4);
  });
});

describe('the bodies', () => {
  test('are of every kind, and those that look sound are JSON', () => {
    const kinds = new Set<string>();
    for (const { bytes, mustRefuse, name } of hostileBodies(BASES['/v1/responses']!, 34, diceOf(1))) {
      kinds.add(name);
      if (!mustRefuse && bytes.length < 1_000_000)
        expect([name, typeof JSON.parse(new TextDecoder().decode(bytes))]).toEqual([name, 'object']);
    }
    expect(kinds.size).toBeGreaterThan(25);
  });
});
