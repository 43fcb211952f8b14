import { afterAll, beforeAll, expect, test } from 'bun:test';
import { serve } from '../../src/gateway/pipeline.ts';
import { chatBody, EVENTS, readAll, responseOf, streamAnswer, World } from '../support/gateway.ts';

let world: World;
beforeAll(async () => {
  world = await World.open();
});
afterAll(() => world.close());

/** Sends a stream that lasts, ends it, and tells what the face was told at its end. */
async function endOf(end: 'finish' | 'stop'): Promise<boolean[]> {
  const told: boolean[] = [];
  const answer = streamAnswer().push(EVENTS.word, EVENTS.stop, EVENTS.done);
  world.upstream.reply = () => answer;
  const headers = { authorization: `Bearer ${world.liveKey}`, 'content-type': 'application/json' };
  const request = new Request('http://127.0.0.1/', { method: 'POST', headers, body: JSON.stringify(chatBody({ stream: true })) });
  const call = {
    route: 'chat',
    request,
    peer: null,
    arrivedMs: 0,
    onLasting: () => {},
    onEnd: (wasStopped: boolean) => void told.push(wasStopped),
  } as const;
  const response = responseOf(await serve(world.gateway, call));
  world.gateway.inFlight.tick();
  if (end === 'finish') answer.finish();
  else world.gateway.inFlight.cut('cut_sentry', () => true);
  await readAll(response);
  return told;
}

test('the face is told whether a lasting answer came to its end or was stopped', async () => {
  expect(await endOf('finish')).toEqual([false]);
  expect(await endOf('stop')).toEqual([true]);
});
