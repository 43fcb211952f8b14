import { describe, expect, test } from 'bun:test';
import { addBounds, addNanoUsd, formatUsd, MAX_NANO_USD, parseUsd, priceOf } from '../../src/domain/money.ts';

/** Whole numbers up to `digits` digits, the same in every run. */
function* numbers(count: number): Generator<[number, number]> {
  let seed = 0x2545_f491;
  const next = (below: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  for (let index = 0; index < count; index++) yield [next(10 ** (1 + next(15))), next(10 ** (1 + next(13)))];
}

function exactPrice(tokens: number, rate: number): number {
  const exact = (BigInt(tokens) * BigInt(rate) + 999_999n) / 1_000_000n;
  return exact > BigInt(MAX_NANO_USD) ? MAX_NANO_USD : Number(exact);
}

describe('priceOf', () => {
  test('is what BigInt says, for 10,000 products', () => {
    const wrong = [...numbers(10_000)].filter(([tokens, rate]) => priceOf(tokens, rate) !== exactPrice(tokens, rate));
    expect(wrong).toEqual([]);
  });

  test.each([
    [0, 0, 0],
    [0, 1_000_000, 0],
    [1, 0, 0],
    [1, 1, 1],
    [1, 999_999, 1],
    [1, 1_000_000, 1],
    [1, 1_000_001, 2],
    [1_000_000, 1, 1],
    [1_000_001, 1, 2],
    [94_906_267, 94_906_267, 9_007_199_516],
    [2 ** 31, 2 ** 22, 9_007_199_255],
    [2 ** 53 - 1, 1, 9_007_199_255],
    [2 ** 53 - 1, 1_000_000, MAX_NANO_USD],
    [2 ** 53 - 1, 1_000_001, MAX_NANO_USD],
    [2 ** 53 - 1, 2 ** 53 - 1, MAX_NANO_USD],
    [1e308, 1e308, MAX_NANO_USD],
  ])('%d tokens at %d cost %d', (tokens, rate, expected) => {
    expect(priceOf(tokens, rate)).toBe(expected);
  });

  test('never rounds down', () => {
    for (const [tokens, rate] of numbers(1_000)) {
      const price = priceOf(tokens, rate);
      if (price < MAX_NANO_USD) expect(BigInt(price) * 1_000_000n >= BigInt(tokens) * BigInt(rate)).toBe(true);
    }
  });
});

describe('sums', () => {
  test.each([
    [[], 0],
    [[1, 2, 3], 6],
    [[MAX_NANO_USD, 0], MAX_NANO_USD],
    [[MAX_NANO_USD, 1], MAX_NANO_USD],
    [[MAX_NANO_USD, MAX_NANO_USD, MAX_NANO_USD], MAX_NANO_USD],
  ])('bounds %j saturate at %d', (amounts, sum) => {
    expect(addBounds(...amounts)).toBe(sum);
  });

  test('a balance never leaves the exact integers', () => {
    expect(addNanoUsd(MAX_NANO_USD - 1, 1)).toBe(MAX_NANO_USD);
    expect(addNanoUsd(5, -7)).toBe(-2);
    for (const amount of [1, 2, MAX_NANO_USD]) expect(() => addNanoUsd(MAX_NANO_USD, amount)).toThrow(RangeError);
    expect(() => addNanoUsd(0, 0.5)).toThrow(RangeError);
    expect(() => addNanoUsd(0, Number.NaN)).toThrow(RangeError);
  });
});

describe('text', () => {
  test.each([
    [0, '0.00'],
    [1, '0.000000001'],
    [10, '0.00000001'],
    [123, '0.000000123'],
    [1_500_000_000, '1.50'],
    [1_000_000_000, '1.00'],
    [10_000_000, '0.01'],
    [100_000_000, '0.10'],
    [1_234_567_890, '1.23456789'],
    [-1, '-0.000000001'],
    [-1_500_000_000, '-1.50'],
    [MAX_NANO_USD, '9007199.254740991'],
  ])('%d is %s USD', (amount, text) => {
    expect(formatUsd(amount)).toBe(text);
    if (amount >= 0) expect(parseUsd(text)).toBe(amount);
  });

  test('10,000 amounts come back as they were', () => {
    const wrong = [...numbers(10_000)].map(([amount]) => amount).filter((amount) => parseUsd(formatUsd(amount)) !== amount);
    expect(wrong).toEqual([]);
  });

  test.each([
    ['5', 5_000_000_000],
    ['5.0', 5_000_000_000],
    ['0', 0],
    ['00.10', 100_000_000],
    ['0.000000001', 1],
    ['9007199.254740991', MAX_NANO_USD],
    ['9007199.254740992', null],
    ['9999999999999999', null],
    ['0.0000000001', null],
    ['', null],
    ['.5', null],
    ['5.', null],
    ['+5', null],
    ['-5', null],
    ['1e3', null],
    ['1,5', null],
    [' 5', null],
    ['5 ', null],
    ['5\n', null],
    ['NaN', null],
    ['Infinity', null],
    ['0x10', null],
    ['٥', null],
  ])('%j is read as %p', (text, amount) => {
    expect(parseUsd(text)).toBe(amount);
  });
});
