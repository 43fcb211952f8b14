import { expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { nfkcBytes } from '../../../src/wire/facts/nfkc.ts';

const real = (text: string): number => Buffer.byteLength(text.normalize('NFKC'));
const bound = (text: string): number => nfkcBytes(text, Buffer.byteLength(text));

test('every code point is counted', () => {
  const short: string[] = [];
  for (let codePoint = 0; codePoint <= 0x10ffff; codePoint++) {
    if (codePoint === 0xd800) codePoint = 0xe000;
    const text = String.fromCodePoint(codePoint);
    if (bound(text) < real(text)) short.push(codePoint.toString(16));
  }
  expect(short).toEqual([]);
});

test.each([
  ['plain ASCII', 11],
  ['déjà vu…', 12],
  ['ﷺ', 33],
  ['🎉', 4],
])('%s counts %d bytes', (text, bytes) => {
  expect(bound(text)).toBe(bytes);
});

test('no sequence of characters outgrows the sum of their gains', () => {
  const mark = fc.integer({ min: 0x300, max: 0x36f }).map((code) => String.fromCodePoint(code));
  const text = fc.array(fc.oneof(fc.string({ unit: 'binary' }), mark, fc.constantFrom('ộ', 'ñ', 'ﷺ', 'ज़', 'é')), { maxLength: 12 });
  fc.assert(
    fc.property(text, (parts) => {
      const joined = parts.join('');
      expect(bound(joined)).toBeGreaterThanOrEqual(real(joined));
    }),
    { numRuns: 2_000 },
  );
});
