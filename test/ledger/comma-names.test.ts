import { expect, test } from 'bun:test';
import { spendLabel } from '../../src/domain/belonging.ts';
import type { BudgetAccount } from '../../src/domain/state.ts';
import { SpendBook } from '../../src/ledger/state/spend-book.ts';
import { ModelPatterns } from '../../src/policy/patterns.ts';

const AT_MS = Date.UTC(2028, 1, 29);

function over(pattern: string): BudgetAccount {
  const patterns = new ModelPatterns([pattern]);
  return { scope: 'project', period: 'total', windowMs: 0, matches: (model) => patterns.match(model) !== null };
}

test.each([
  { models: ['ft:a,b:acme'], pattern: 'ft:*:acme', counts: true },
  { models: ['gpt-4.1', 'ft:a,b:acme'], pattern: 'ft:*:acme', counts: true },
  { models: ['ft:,,:acme', 'gpt-4.1'], pattern: 'ft:*:acme', counts: true },
  { models: ['gpt-4.1', `ft:${','.repeat(40)}:acme`], pattern: 'ft:*:acme', counts: true },
  { models: ['gpt-4.1', 'o4-mini'], pattern: 'o4-*', counts: true },
  { models: ['gpt-4.1', 'o4-mini'], pattern: 'ft:*:acme', counts: false },
])('spend on $models counts for a budget of $pattern: $counts', ({ models, pattern, counts }) => {
  const book = new SpendBook();
  const label = book.labelFor(spendLabel(models));
  book.spend(label, 1_000, AT_MS);
  book.hold(label, 70, false);
  expect(models.some((model) => new ModelPatterns([pattern]).match(model) !== null)).toBe(counts);
  expect(book.balance(over(pattern), AT_MS)).toMatchObject({ settledNanoUsd: counts ? 1_000 : 0, heldNanoUsd: counts ? 70 : 0 });
});
