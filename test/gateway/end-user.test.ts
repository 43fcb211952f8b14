import { afterAll, beforeAll, expect, test } from 'bun:test';
import { World } from '../support/gateway.ts';

const HOUR_MS = 3_600_000;

let world: World;
beforeAll(async () => (world = await World.open()));
afterAll(() => world.close());

test.each([
  ['plain', 'ann'],
  ['half a sign', 'ann\ud83d'],
  ['a sign that the greatest length cuts in two', `${'a'.repeat(255)}\u{1f600}`],
  ['what ends a text elsewhere', 'ann\u0000bob'],
])('what an end user spends is counted under the name that the ledger keeps: %s', async (_, user) => {
  const { store, memory, ledger } = world.opened;
  await world.call({ model: 'gpt-4.1-mini', messages: [{ role: 'user', content: 'Hello' }], user }, { key: world.testKey });
  await ledger.drain();
  const { items } = await store.listDecisions({}, null, 1);
  const { candidate } = items[0]!.decision;
  const who = { environmentTest: true, workspaceId: 1, projectId: 1, keyId: 1, endUser: candidate.endUser, sender: null };
  expect(candidate.endUser).toBe(user.slice(0, 256).toWellFormed());
  expect(memory.spentWithin('user', who, HOUR_MS, ledger.nowMs())).toBeGreaterThan(0);
});
