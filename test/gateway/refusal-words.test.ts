import { afterEach, expect, test } from 'bun:test';
import { chatBody, refusalOf, World } from '../support/gateway.ts';
import { NOTHING } from '../support/policies.ts';

let world: World;
afterEach(() => world.close());

test('denials that are counted in one row still tell each client of its own request', async () => {
  world = await World.open({ policy: { ...NOTHING, models: { block: ['o3', 'gpt-4.1*'] } } });
  const ids = new Set<string | null>();
  for (const model of ['o3', 'gpt-4.1-mini', 'gpt-4.1', 'o3']) {
    const { reason, message, decisionId } = refusalOf(await world.call(chatBody({ model })));
    expect([reason, message.includes(`Model ${model} `)]).toEqual(['model_blocked', true]);
    ids.add(decisionId);
  }
  await world.opened.ledger.drain();
  const rows = (await world.opened.store.listDecisions({}, null, 10)).items;
  expect(rows.reduce((sum, { count }) => sum + count, 0)).toBe(4);
  expect(rows).toHaveLength(ids.size);
});
