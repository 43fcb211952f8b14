import { afterEach, expect, test } from 'bun:test';
import { chatBody, completion, jsonAnswer, responseOf, World } from '../support/gateway.ts';
import { NOTHING } from '../support/policies.ts';

let world: World;
afterEach(() => world.close());

const BUDGET = { ...NOTHING, budgets: [{ scope: 'project', period: 'day', limit_usd: '10' }] };
const PROSE = 'It was a bright cold day, and "the clocks" were striking.\n';

test.each<[string, string]>([
  ['ASCII', PROSE.repeat(2_000)],
  ['other characters', `é漢${PROSE}`.repeat(2_000)],
])('a large body of %s arrives as it was sent, but for what is put in, and is held for as a whole', async (_, content) => {
  world = await World.open({ policy: BUDGET });
  const sent = JSON.stringify(chatBody({ messages: [{ role: 'user', content }] }));
  const response = responseOf(await world.call(sent));
  expect(response.status).toBe(200);
  const { body } = world.upstream.arrived[0]!;
  expect(new TextDecoder().decode(body!)).toBe(`${sent.slice(0, -1)},"service_tier":"default"}`);
  // A token for each byte, at 0.40 USD a million.
  expect(Number(response.headers.get('x-panicly-cost-hold-usd'))).toBeGreaterThanOrEqual((Buffer.byteLength(content) * 0.4) / 1e6);
});

test('a large answer comes back byte by byte, with its cost', async () => {
  world = await World.open({ policy: BUDGET });
  const answer = completion({ choices: [{ message: { content: `é漢${PROSE}`.repeat(20_000) } }] });
  world.upstream.reply = () => jsonAnswer(200, answer);
  const response = responseOf(await world.call(chatBody()));
  expect(response.headers.get('x-panicly-cost-usd')).toMatch(/^0\.0\d+$/);
  expect(await response.text()).toBe(JSON.stringify(answer));
  expect(world.settlements[0]).toMatchObject({ outcome: 'completed', basis: 'reported' });
});
