import { expect, test } from 'bun:test';
import { runSequences } from '../support/ledger-sequences.ts';

test('any sequence leaves the state equal to the naive model and within every limit', () => {
  expect(runSequences(300)).toBeGreaterThan(1_000);
}, 60_000);
