import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { serve } from '../../src/gateway/pipeline.ts';
import { Refused } from '../../src/gateway/refused.ts';
import { chatBody, World } from '../support/gateway.ts';

let world: World;
beforeAll(async () => {
  world = await World.open();
});
afterAll(() => world.close());

/** A body of which one can tell whether anybody asked for it. */
function watchedBody(): { readonly stream: ReadableStream<Uint8Array>; readonly wasRead: () => boolean } {
  let read = false;
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        read = true;
        controller.enqueue(Buffer.from(JSON.stringify(chatBody())));
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, wasRead: () => read };
}

function refusedOf(answer: Response | Refused): Refused {
  if (!(answer instanceof Refused)) throw new Error(`it was answered: ${answer.status}`);
  return answer;
}

/** A body that takes its time, as far as its headers tell. */
const LONG = { 'content-length': '9000000' };

describe('equal denials within a second', () => {
  test('the second is denied before its body is read, and counted in the row of the first', async () => {
    world.opened.memory.setSentry({ projectId: 1 }, true);
    const first = refusedOf(await world.call(chatBody()));
    expect(first.refusal.reason).toBe('sentry_mode');
    const { stream, wasRead } = watchedBody();
    const second = refusedOf(await world.call(stream, { headers: LONG }));
    expect(second).toMatchObject({ decisionId: first.decisionId, leavesBody: true });
    expect(second.refusal).toMatchObject({ reason: 'sentry_mode', message: first.refusal.message });
    expect(second.denied?.candidate.model).toBe(first.denied!.candidate.model);
    expect(wasRead()).toBe(false);
    await world.opened.ledger.drain();
    const { items } = await world.opened.store.listDecisions({ allowed: false }, null, 10);
    expect(items.map(({ count }) => count)).toEqual([2]);
  });

  test('the switch is off: the next one passes at once', async () => {
    world.opened.memory.setSentry({ projectId: 1 }, true);
    await world.call(chatBody());
    world.opened.memory.setSentry({ projectId: 1 }, false);
    expect(await world.call(chatBody())).toBeInstanceOf(Response);
  });

  test('another reason is judged with its body', async () => {
    world.opened.memory.setSentry({ projectId: 1 }, true);
    await world.call(chatBody());
    world.setPolicy({ burst: { requests: 0 } });
    const { stream, wasRead } = watchedBody();
    expect(refusedOf(await world.call(stream)).refusal.reason).toBe('sentry_mode');
    world.opened.memory.setSentry({ projectId: 1 }, false);
    expect(refusedOf(await world.call(chatBody())).refusal.reason).toBe('burst_protection');
    expect(wasRead()).toBe(true);
    world.setPolicy({});
  });

  test('observers hear of each', async () => {
    world.opened.memory.setSentry({ projectId: 1 }, true);
    const heard: Refused[] = [];
    const observer = { refused: (_call: unknown, refused: Refused) => void heard.push(refused) };
    world.gateway.observers.push(observer);
    for (let time = 0; time < 3; time++) await world.call(chatBody());
    world.gateway.observers.splice(world.gateway.observers.indexOf(observer), 1);
    expect(heard.map(({ decisionId }) => decisionId)).toEqual(Array.from({ length: 3 }, () => heard[0]!.decisionId));
    expect(heard.every(({ denied }) => denied !== null)).toBe(true);
    world.opened.memory.setSentry({ projectId: 1 }, false);
  });
});

describe('a body that nobody reads', () => {
  const unknown = (headers: Record<string, string>, body: string | ReadableStream<Uint8Array>) =>
    serve(world.gateway, {
      route: 'chat',
      request: new Request('http://127.0.0.1/', { method: 'POST', headers: { authorization: 'Bearer pk_live_wrong', ...headers }, body }),
      peer: null,
      arrivedMs: 0,
    });

  test('that is here is taken off the connection, which goes on', async () => {
    expect(await unknown({ 'content-length': '2' }, '{}')).toMatchObject({ leavesBody: false });
  });

  test.each([
    ['large', { 'content-length': '300000' }],
    ['of unknown size', { 'transfer-encoding': 'chunked' }],
    ['of a size that is none', { 'content-length': 'many' }],
  ])('that is %s closes it', async (_name, headers) => {
    expect(await unknown(headers, '{}')).toMatchObject({ leavesBody: true });
  });

  describe('of a known caller', () => {
    const GZIP = { 'content-encoding': 'gzip' };
    const endless = () => new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
    const dripping = () =>
      new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new Uint8Array(10)), pull: () => new Promise(() => {}) });

    test.each<[string, boolean, string, Record<string, string>, () => string | ReadableStream<Uint8Array>]>([
      ['an encoding, and the body is here', false, 'unsupported_encoding', { ...GZIP, 'content-length': '2' }, () => '{}'],
      ['an encoding, and the body is not', true, 'unsupported_encoding', { ...GZIP, 'content-length': '2' }, endless],
      ['what the body says', false, 'invalid_json', { 'content-length': '3' }, () => '{x}'],
      ['no room, before it is read', true, 'overloaded', { 'content-length': '20000' }, endless],
      ['no room, while it is read', true, 'overloaded', {}, dripping],
    ])('refused for %s', async (_name, leavesBody, reason, headers, body) => {
      const { bodies } = world.gateway;
      const others = reason === 'overloaded' ? bodies.capacityBytes : 0;
      bodies.take(others);
      const refused = refusedOf(await world.call(body(), { headers }));
      bodies.give(others);
      expect([refused.refusal.reason, refused.leavesBody, bodies.takenBytes]).toEqual([reason as never, leavesBody, 0]);
    });
  });

  test('that does not come closes it', async () => {
    const never = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
    expect(await unknown({ 'content-length': '2' }, never)).toMatchObject({ leavesBody: true });
  });
});
