import { expect, test } from 'bun:test';
import { didYouMean, nearestName } from '../../src/domain/nearest.ts';

const KNOWN = ['workspaces', 'projects', 'prices', 'alerts', 'server', 'log'];

test.each([
  ['projcts', 'projects'],
  ['project', 'projects'],
  ['Workspaces', 'workspaces'],
  ['sever', 'server'],
  ['lgo', null],
  ['lo', 'log'],
  ['price', 'prices'],
  ['budgets', null],
  ['', null],
  ['x'.repeat(200), null],
] as const)('%s means %s', (written, meant) => {
  expect(nearestName(written, KNOWN)).toBe(meant);
});

test('is a sentence, or nothing', () => {
  expect([didYouMean('alert', KNOWN), didYouMean('nothing-like-it', KNOWN), didYouMean('alert', [])]).toEqual([
    ' Did you mean "alerts"?',
    '',
    '',
  ]);
});
