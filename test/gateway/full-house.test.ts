import { afterAll, beforeAll, expect, test } from 'bun:test';
import { Refused } from '../../src/gateway/refused.ts';
import { chatBody, refusalOf, World } from '../support/gateway.ts';
import { completion, jsonAnswer } from '../support/fake-upstream.ts';

const ROOM = 5;

let world: World;
beforeAll(async () => {
  world = await World.open({ limits: { requestsInFlight: ROOM } });
});
afterAll(() => world.close());

test('a crowd that comes through the door in the same moment is held to the limit of requests in flight', async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  world.upstream.reply = async () => {
    await gate;
    return jsonAnswer(200, completion());
  };
  const calls = Array.from({ length: 20 }, (_, index) => world.call(chatBody({ user: `crowd ${index}` })));
  await world.upstream.arrivals(ROOM);
  await world.opened.ledger.drain();
  expect(world.gateway.inFlight.size).toBe(ROOM);
  open();
  const refused = (await Promise.all(calls)).filter((answer) => answer instanceof Refused);
  expect(refused).toHaveLength(20 - ROOM);
  expect(refused.map((answer) => refusalOf(answer).reason)).toEqual(refused.map(() => 'overloaded'));
  expect(refusalOf(refused[0]!)).toMatchObject({ status: 503, decisionId: null });
  expect(world.upstream.arrived).toHaveLength(ROOM);
});

test('the places are free again afterwards', async () => {
  expect(world.gateway.inFlight.deciding).toBe(0);
  for (let turn = 0; turn < 2 * ROOM; turn++) expect(await world.call(chatBody())).toBeInstanceOf(Response);
});
