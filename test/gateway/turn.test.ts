import { afterEach, expect, test } from 'bun:test';
import { Turn } from '../../src/gateway/turn.ts';
import { chatBody, completion, jsonAnswer, responseOf, World } from '../support/gateway.ts';

let world: World | null = null;
afterEach(async () => {
  await world?.close();
  world = null;
});

const nextImmediate = () => new Promise<void>((resolve) => setImmediate(resolve));

test('who comes within one turn goes on after it, together and in order', async () => {
  const turn = new Turn();
  const events: string[] = [];
  const come = async (name: string) => {
    await turn.end();
    events.push(name);
  };
  const first = come('first');
  // Comes later within the same turn, as the next connection that has something to say does.
  const second = Promise.resolve().then(() => come('second'));
  const other = nextImmediate().then(() => events.push('what came after them'));
  await Promise.resolve();
  events.push('the turn goes on');
  await Promise.all([first, second, other]);
  expect(events).toEqual(['the turn goes on', 'first', 'second', 'what came after them']);
});

test('who comes while the others go on waits for the end of the next turn, and for no later one', async () => {
  const turn = new Turn();
  const events: string[] = [];
  await turn.end();
  const late = turn.end().then(() => events.push('late'));
  await Promise.resolve();
  expect(events).toEqual([]);
  await nextImmediate();
  expect(events).toEqual(['late']);
  await late;
});

test('requests that come within one turn are let in together', async () => {
  world = await World.open();
  const { gateway } = world;
  const events: string[] = [];
  // The clock is asked whether the key has expired.
  const clock = { ...gateway.clock, nowMs: () => (events.push('let in'), gateway.clock.nowMs()) };
  Object.assign(world, { gateway: { ...gateway, clock } });
  const first = world.call(chatBody({ user: 'first' }));
  const other = nextImmediate().then(() => events.push('what came between them'));
  const second = world.call(chatBody({ user: 'second' }));
  events.push('the turn goes on');
  await other;
  expect(events.slice(0, 4)).toEqual(['the turn goes on', 'let in', 'let in', 'what came between them']);
  expect([responseOf(await first).status, responseOf(await second).status]).toEqual([200, 200]);
});

test('a whole answer that waits for its turn is settled as what it is, whatever stops its request meanwhile', async () => {
  world = await World.open();
  const { inFlight } = world.gateway;
  let hit = 0;
  world.upstream.reply = () => {
    // No turn ends between one promise and the next.
    void settled(50).then(() => (hit = inFlight.cut('cut_sentry', () => true)));
    return jsonAnswer(200, completion());
  };
  expect(responseOf(await world.call(chatBody())).status).toBe(200);
  expect(hit).toBe(1);
  expect(world.settlements).toMatchObject([{ outcome: 'completed', basis: 'reported' }]);
  expect(world.openHolds).toBe(0);
});

async function settled(promises: number): Promise<void> {
  for (let left = promises; left > 0; left--) await Promise.resolve();
}
