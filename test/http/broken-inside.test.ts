import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { PathObserver } from '../../src/gateway/observer.ts';
import { startScenario, type Scenario } from '../support/scenario.ts';

let scenario: Scenario;
beforeAll(async () => {
  scenario = await startScenario();
});
afterAll(() => scenario.close());

const BROKEN = 'something of ours that no client may read';

test.each([
  ['before the ledger', 'refused', 'pk_live_wrong'],
  ['after the decision', 'admitted', null],
  ['with the settlement', 'ended', null],
] as const)('a failure %s is a 500 with an id, and the operator is told', async (_when, hook, key) => {
  const observer: PathObserver = {
    [hook]: () => {
      throw new TypeError(BROKEN);
    },
  };
  const { observers } = scenario.gateway;
  observers.push(observer);
  try {
    const answer = await scenario.chat(key ?? scenario.made.testKey);
    expect(answer.status).toBe(500);
    expect(answer.json).toMatchObject({ error: { reason: 'internal_error' } });
    expect(answer.text).not.toContain(BROKEN);
    expect(scenario.failures.splice(0).map(String)).toEqual([expect.stringContaining(BROKEN)]);
  } finally {
    observers.splice(observers.indexOf(observer), 1);
  }
});
