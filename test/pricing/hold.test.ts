import { expect, test } from 'bun:test';
import { effectiveCap, holdFor } from '../../src/domain/hold.ts';
import { MAX_NANO_USD } from '../../src/domain/money.ts';
import { checkHolds, ENTRY_COUNT, MODEL_COUNT } from '../support/hold-property.ts';

const RUNS = 2_000;

test('over generated requests and the whole price list, the hold is at least the cost', () => {
  expect(ENTRY_COUNT).toBe(MODEL_COUNT);
  checkHolds(RUNS);
});

const quote = {
  priced: true,
  priceVersion: 1,
  inputTokenEstimate: 1,
  inputTokenBound: 10,
  inputHoldNanoUsd: 1_000,
  outputNanoUsdPerMillion: 1_500_000,
  choices: 3,
  clientOutputCap: null,
  modelOutputLimit: 100,
  outputFloor: 10,
  unpricedFeature: null,
};

test.each([
  [quote, 1, 1_000 + 5],
  [quote, 0, 1_000],
  [{ ...quote, choices: 0 }, 100, 1_000],
  [{ ...quote, priced: false }, 100, 0],
  [{ ...quote, outputNanoUsdPerMillion: 6e11 }, 1e15, MAX_NANO_USD],
])('hold %#', (figures, cap, expected) => {
  expect(holdFor(figures, cap)).toBe(expected);
});

test.each([
  [null, 100, 100],
  [50, 100, 50],
  [500, 100, 100],
])('client cap %p, model limit %d: %d', (clientOutputCap, modelOutputLimit, expected) => {
  expect(effectiveCap({ ...quote, clientOutputCap, modelOutputLimit })).toBe(expected);
});
