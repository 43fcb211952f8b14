import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import type { Outcome } from '../../src/domain/decision.ts';
import type { CutReason } from '../../src/gateway/in-flight.ts';
import type { UpstreamFailure } from '../../src/upstream/upstream.ts';
import { chatBody, EVENTS, FakeAnswer, jsonAnswer, readAll, refusalOf, responseOf, streamAnswer, World } from '../support/gateway.ts';

let world: World;
beforeAll(async () => {
  world = await World.open();
});
afterAll(() => world.close());
beforeEach(() => {
  world.settlements.length = 0;
  world.upstream.arrived.length = 0;
});

/** What the ledger was told at the end, and that nothing is left open. */
function ended(): { outcome: Outcome; basis: string } {
  expect(world.settlements).toHaveLength(1);
  expect([world.openHolds, world.gateway.inFlight.size]).toEqual([0, 0]);
  const { outcome, basis } = world.settlements[0]!;
  return { outcome, basis };
}

const WHOLE = [EVENTS.word, EVENTS.stop, EVENTS.usage, EVENTS.done];
const PASSED = [EVENTS.word, EVENTS.stop, EVENTS.done].join('');

/** Asks for a stream; the provider's answer is in the test's hands. */
async function stream(change: object = {}): Promise<{ answer: FakeAnswer; response: Response }> {
  const made = Promise.withResolvers<FakeAnswer>();
  world.upstream.reply = (request) => {
    const answer = streamAnswer(request);
    made.resolve(answer);
    return answer;
  };
  const response = responseOf(await world.call(chatBody({ stream: true, ...change })));
  return { answer: await made.promise, response };
}

describe('a stream', () => {
  test('that is whole', async () => {
    const { answer, response } = await stream();
    answer.push(...WHOLE).finish();
    expect(await readAll(response)).toEqual({ text: PASSED, broken: false });
    expect(ended()).toEqual({ outcome: 'completed', basis: 'reported' });
  });

  test('byte by byte', async () => {
    const { answer, response } = await stream();
    for (const byte of new TextEncoder().encode(WHOLE.join(''))) answer.push(new Uint8Array([byte]));
    answer.finish();
    expect(await readAll(response)).toEqual({ text: PASSED, broken: false });
    expect(ended()).toEqual({ outcome: 'completed', basis: 'reported' });
  });

  test('that the client asked usage of keeps it', async () => {
    const { answer, response } = await stream({ stream_options: { include_usage: true } });
    answer.push(...WHOLE).finish();
    expect((await readAll(response)).text).toBe(WHOLE.join(''));
  });

  test('without [DONE], but with all finish reasons', async () => {
    const { answer, response } = await stream();
    answer.push(EVENTS.word, EVENTS.stop, EVENTS.usage).finish();
    expect((await readAll(response)).broken).toBe(false);
    expect(ended()).toEqual({ outcome: 'completed', basis: 'reported' });
  });

  test('that ends without its terminal event is no complete one', async () => {
    const { answer, response } = await stream();
    answer.push(EVENTS.word).finish();
    expect((await readAll(response)).text).toBe(EVENTS.word);
    expect(ended()).toEqual({ outcome: 'upstream_interrupted', basis: 'estimated' });
  });

  test('that breaks is a broken one for the client', async () => {
    const { answer, response } = await stream();
    answer.push(EVENTS.word).breakOff();
    expect(await readAll(response)).toEqual({ text: EVENTS.word, broken: true });
    expect(ended()).toEqual({ outcome: 'upstream_interrupted', basis: 'estimated' });
  });

  test('that breaks after its end was billed as whole', async () => {
    const { answer, response } = await stream();
    answer.push(...WHOLE).breakOff();
    expect((await readAll(response)).broken).toBe(true);
    expect(ended()).toEqual({ outcome: 'completed', basis: 'reported' });
  });

  test('with usage that broke before its terminal event is not believed', async () => {
    const { answer, response } = await stream();
    answer.push(EVENTS.word, EVENTS.usage).breakOff();
    await readAll(response);
    expect(ended()).toEqual({ outcome: 'upstream_interrupted', basis: 'estimated' });
  });

  test('that falls silent is cut with an error event', async () => {
    const { answer, response } = await stream();
    answer.push(EVENTS.word).breakOff('timeout');
    const { text, broken } = await readAll(response);
    expect([text.includes('"reason":"upstream_timeout"'), broken]).toEqual([true, true]);
    expect(ended()).toEqual({ outcome: 'upstream_timeout', basis: 'estimated' });
  });

  test('with a chunk after [DONE] passes it on', async () => {
    const { answer, response } = await stream();
    answer.push(...WHOLE, ': trailing\n\n').finish();
    expect((await readAll(response)).text).toBe(`${PASSED}: trailing\n\n`);
    expect(ended().outcome).toBe('completed');
  });

  test('whose bytes cannot even be asked for ends as a broken one', async () => {
    const { answer, response } = await stream();
    const read = () => {
      throw new Error('no reader');
    };
    Object.assign(answer, { read });
    expect((await readAll(response)).broken).toBe(true);
    expect(ended().outcome).toBe('upstream_interrupted');
  });

  test('whose reader fails ends as a broken one, and the provider is hung up on', async () => {
    const { answer, response } = await stream();
    answer.push({ length: 5, indexOf: null } as unknown as Uint8Array);
    expect((await readAll(response)).broken).toBe(true);
    expect(ended().outcome).toBe('upstream_interrupted');
    expect(answer.aborted).toBe(true);
  });

  test.each<[CutReason, string]>([
    ['cut_sentry', 'sentry_mode'],
    ['cut_revoked', 'revoked_key'],
    ['cut_shutdown', 'shutting_down'],
  ])('%s: an error event first, then the break', async (reason, code) => {
    const { answer, response } = await stream();
    answer.push(EVENTS.word);
    const reading = readAll(response);
    await Bun.sleep(1);
    expect(world.gateway.inFlight.cut(reason, () => true)).toBe(1);
    const { text, broken } = await reading;
    expect(text).toStartWith(EVENTS.word);
    expect(text).toContain(`"reason":"${code}"`);
    expect(broken).toBe(true);
    expect(answer.aborted).toBe(true);
    expect(ended().outcome).toBe(reason);
  });

  test('that is cut while nobody reads is settled at once', async () => {
    const { answer, response } = await stream();
    answer.push(EVENTS.word, EVENTS.word);
    const reader = response.body!.getReader();
    await reader.read();
    world.gateway.inFlight.cut('cut_shutdown', () => true);
    await world.gateway.inFlight.idle();
    expect(ended().outcome).toBe('cut_shutdown');
    expect(new TextDecoder().decode((await reader.read()).value)).toContain('shutting_down');
    expect(reader.read()).rejects.toThrow();
  });

  test('that nobody ever reads is broken off after its cut', async () => {
    const { response } = await stream();
    world.gateway.inFlight.cut('cut_sentry', () => true);
    await Bun.sleep(1_050);
    expect(await readAll(response)).toEqual({ text: '', broken: true });
    expect(ended().outcome).toBe('cut_sentry');
  });
});

describe('a client', () => {
  test('that cancels before the first chunk', async () => {
    const { answer, response } = await stream();
    await response.body!.cancel();
    expect(answer.aborted).toBe(true);
    expect(ended()).toEqual({ outcome: 'client_aborted', basis: 'estimated' });
  });

  test('that cancels in the middle', async () => {
    const { answer, response } = await stream();
    answer.push(EVENTS.word);
    const reader = response.body!.getReader();
    await reader.read();
    await reader.cancel();
    expect(answer.aborted).toBe(true);
    expect(ended()).toEqual({ outcome: 'client_aborted', basis: 'estimated' });
  });

  test('that cancels while a read waits', async () => {
    const { answer, response } = await stream();
    const reader = response.body!.getReader();
    const reading = reader.read();
    await Bun.sleep(1);
    await reader.cancel();
    expect((await reading).done).toBe(true);
    expect(answer.aborted).toBe(true);
    expect(ended()).toEqual({ outcome: 'client_aborted', basis: 'estimated' });
  });

  test('that cancels after the terminal event has what it paid for', async () => {
    const { answer, response } = await stream();
    answer.push(WHOLE.join(''));
    const reader = response.body!.getReader();
    await reader.read();
    await reader.cancel();
    expect(ended()).toEqual({ outcome: 'completed', basis: 'reported' });
  });

  test('that goes while the provider is asked', async () => {
    const client = new AbortController();
    world.upstream.reply = (request) =>
      new Promise<UpstreamFailure>((resolve) =>
        request.signal!.addEventListener('abort', () => resolve({ kind: 'aborted', code: 'signal', mayHaveBilled: true })),
      );
    const call = world.call(chatBody({ stream: true }), { signal: client.signal });
    await world.upstream.arrivals(1);
    client.abort();
    expect(refusalOf(await call).reason).toBe('upstream_interrupted');
    expect(ended()).toEqual({ outcome: 'client_aborted', basis: 'estimated' });
  });

  test('that is gone before anything was sent pays nothing', async () => {
    const client = new AbortController();
    const call = world.call(chatBody(), { signal: client.signal });
    client.abort();
    expect(refusalOf(await call).status).toBe(502);
    expect(world.upstream.arrived).toHaveLength(0);
    const kept = world.settlements.map(({ outcome, basis }) => [outcome, basis]);
    expect([[], [['client_aborted', 'none']]]).toContainEqual(kept);
    expect(world.openHolds).toBe(0);
  });

  test('that takes nothing for too long is taken for gone', async () => {
    const slow = await World.open({ limits: { slowClientMs: 3_000 } });
    slow.upstream.reply = (request) => streamAnswer(request).push(EVENTS.word, EVENTS.word);
    const reader = responseOf(await slow.call(chatBody({ stream: true }))).body!.getReader();
    await reader.read();
    await Bun.sleep(1);
    for (let tick = 0; tick < 3; tick++) slow.gateway.inFlight.tick();
    expect(slow.settlements).toEqual([]);
    slow.gateway.inFlight.tick();
    expect(slow.settlements.map(({ outcome }) => outcome)).toEqual(['client_aborted']);
    expect(slow.openHolds).toBe(0);
    expect(reader.read().then(() => reader.read())).rejects.toThrow();
    await slow.close();
  });

  test('that waits for a silent provider is not slow', async () => {
    const patient = await World.open({ limits: { slowClientMs: 2_000 } });
    const made = Promise.withResolvers<FakeAnswer>();
    patient.upstream.reply = (request) => {
      made.resolve(streamAnswer(request));
      return made.promise;
    };
    const reading = readAll(responseOf(await patient.call(chatBody({ stream: true }))));
    await Bun.sleep(1);
    for (let tick = 0; tick < 20; tick++) patient.gateway.inFlight.tick();
    (await made.promise).push(...WHOLE).finish();
    expect((await reading).broken).toBe(false);
    expect(patient.settlements.map(({ outcome }) => outcome)).toEqual(['completed']);
    await patient.close();
  });
});

describe('an answer that is not streamed', () => {
  const cases: readonly [string, () => FakeAnswer | UpstreamFailure, Outcome, string, number][] = [
    ['with usage', () => jsonAnswer(200, { usage: { prompt_tokens: 1, completion_tokens: 1 } }), 'completed', 'reported', 200],
    ['without usage', () => jsonAnswer(200, {}), 'completed', 'held', 200],
    ['empty', () => jsonAnswer(200, ''), 'completed', 'held', 200],
    ['of the wrong type', () => new FakeAnswer(200, { 'content-type': 'text/html' }).push('<p>').finish(), 'completed', 'held', 200],
    ['204', () => jsonAnswer(204, ''), 'completed', 'held', 204],
    ['204 with a body', () => jsonAnswer(204, '{}'), 'completed', 'held', 204],
    ['204 as a stream', () => new FakeAnswer(204, { 'content-type': 'text/event-stream' }).finish(), 'completed', 'held', 204],
    ['status 999', () => jsonAnswer(999, '{}'), 'upstream_interrupted', 'held', 502],
    ['status 101', () => jsonAnswer(101, ''), 'upstream_interrupted', 'held', 502],
    ['400', () => jsonAnswer(400, { error: {} }), 'upstream_error', 'none', 400],
    ['429', () => jsonAnswer(429, { error: {} }), 'upstream_error', 'none', 429],
    ['500', () => jsonAnswer(500, ''), 'upstream_error', 'none', 500],
    ['502', () => jsonAnswer(502, ''), 'upstream_error', 'held', 502],
    ['504 with usage', () => jsonAnswer(504, { usage: { prompt_tokens: 1, completion_tokens: 1 } }), 'upstream_error', 'reported', 504],
    [
      '400 as a stream',
      () => new FakeAnswer(400, { 'content-type': 'text/event-stream' }).push('data: {}\n\n').finish(),
      'upstream_error',
      'none',
      400,
    ],
    ['400 that breaks', () => new FakeAnswer(400, {}).push('{').breakOff(), 'upstream_interrupted', 'none', 502],
    ['200 that breaks', () => new FakeAnswer(200, {}).push('{').breakOff(), 'upstream_interrupted', 'held', 502],
    ['200 that falls silent', () => new FakeAnswer(200, {}).push('{').breakOff('timeout'), 'upstream_timeout', 'held', 504],
    ['refused', () => ({ kind: 'unreachable', code: 'ECONNREFUSED', mayHaveBilled: false }), 'not_sent', 'none', 502],
    ['reset', () => ({ kind: 'reset', code: 'ECONNRESET', mayHaveBilled: true }), 'upstream_interrupted', 'held', 502],
    ['no HTTP', () => ({ kind: 'malformed', code: 'Malformed_HTTP_Response', mayHaveBilled: true }), 'upstream_interrupted', 'held', 502],
    ['too late', () => ({ kind: 'timeout', code: 'watchdog', mayHaveBilled: true }), 'upstream_timeout', 'held', 504],
    ['a redirect', () => ({ kind: 'redirect', code: '307', mayHaveBilled: false }), 'upstream_error', 'none', 502],
  ];

  test.each(cases)('%s', async (_, reply, outcome, basis, status) => {
    world.upstream.reply = reply;
    const answer = await world.call(chatBody());
    expect('refusal' in answer ? answer.refusal.status : answer.status).toBe(status);
    expect(ended()).toEqual({ outcome, basis });
  });

  test.each<[CutReason, string]>([
    ['cut_sentry', 'sentry_mode'],
    ['cut_revoked', 'revoked_key'],
    ['cut_shutdown', 'shutting_down'],
  ])('%s in the middle of it', async (reason, code) => {
    world.upstream.reply = (request) => new FakeAnswer(200, {}, request.signal).push('{');
    const call = world.call(chatBody());
    await world.upstream.arrivals(1);
    await Bun.sleep(1);
    world.gateway.inFlight.cut(reason, () => true);
    expect(refusalOf(await call).reason).toBe(code);
    expect(ended()).toEqual({ outcome: reason, basis: 'held' });
  });

  test.each(['identity', ''])('of more than 8 MB passes as it comes, and its usage is found at its end: %j', async (encoding) => {
    const padding = 'x'.repeat(1024 * 1024);
    const chunks = Array.from({ length: 9 }, () => `"${padding}",`);
    world.upstream.reply = () =>
      new FakeAnswer(200, { 'content-type': 'application/json', ...(encoding && { 'content-encoding': encoding }) })
        .push('{"data":[', ...chunks, '1],"usage":{"prompt_tokens":7,"completion_tokens":2}}')
        .finish();
    const response = responseOf(await world.call(chatBody()));
    expect(response.headers.has('x-panicly-cost-usd')).toBe(false);
    expect((await readAll(response)).text.length).toBeGreaterThan(9 * 1024 * 1024);
    expect(ended()).toEqual({ outcome: 'completed', basis: 'reported' });
    expect(world.settlements[0]!.usage).toMatchObject({ inputTokens: 7, outputTokens: 2 });
  });

  test('of more than 8 MB has its id and its calls of hosted tools', async () => {
    const image = `{"type":"image_generation_call","result":"${'A'.repeat(1024 * 1024)}"},`;
    world.upstream.reply = () =>
      new FakeAnswer(200, { 'content-type': 'application/json' })
        .push('{"id":"resp_large","output":[', ...Array.from({ length: 9 }, () => image), '{"type":"web_search_call"}]')
        .push(',"usage":{"input_tokens":7,"output_tokens":2}}')
        .finish();
    const body = { model: 'gpt-4.1', input: 'draw', tools: [{ type: 'web_search' }, { type: 'image_generation' }] };
    await readAll(responseOf(await world.call(body, { route: 'responses' })));
    expect(world.settlements[0]!.usage?.toolCalls).toEqual({ image_generation: 9, web_search: 1 });
    expect(world.settlements[0]!.responseId).toBe('resp_large');
    expect(ended()).toEqual({ outcome: 'completed', basis: 'reported' });
  });

  test('of more than 8 MB that the client leaves costs its hold: it was made before it came', async () => {
    world.upstream.reply = (request) => new FakeAnswer(200, {}, request.signal).push('x'.repeat(9 * 1024 * 1024));
    const response = responseOf(await world.call(chatBody()));
    const reader = response.body!.getReader();
    await reader.read();
    await reader.cancel();
    expect(ended()).toEqual({ outcome: 'client_aborted', basis: 'held' });
  });

  test('of more than 8 MB that breaks gets no event into its JSON', async () => {
    world.upstream.reply = () => new FakeAnswer(200, {}).push('x'.repeat(9 * 1024 * 1024)).breakOff('timeout');
    const { text, broken } = await readAll(responseOf(await world.call(chatBody())));
    expect([text.includes('error'), broken]).toEqual([false, true]);
    expect(ended()).toEqual({ outcome: 'upstream_timeout', basis: 'held' });
  });

  test('an error of more than 8 MB is not passed on', async () => {
    world.upstream.reply = () => new FakeAnswer(400, {}).push('x'.repeat(9 * 1024 * 1024));
    expect(refusalOf(await world.call(chatBody())).reason).toBe('upstream_interrupted');
    expect(ended()).toEqual({ outcome: 'upstream_error', basis: 'none' });
  });
});
