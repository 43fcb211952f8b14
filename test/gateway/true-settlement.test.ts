import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { ProviderKind } from '../../src/domain/project.ts';
import { FlatWorlds, heldTokensOf } from '../support/flat-price.ts';
import { chatBody, completion, FakeAnswer, jsonAnswer, readAll, responseOf } from '../support/gateway.ts';

let worlds: FlatWorlds;
beforeAll(async () => {
  worlds = await FlatWorlds.open(['openai', 'custom']);
});
afterAll(() => worlds.close());

interface Settled {
  readonly costTokens: number;
  readonly holdTokens: number;
  readonly basis: string;
  readonly outcome: string;
  readonly overrun: boolean;
  readonly text: string;
}

/** What an answer is settled for, in tokens of a micro-USD. */
async function settled(kind: ProviderKind, reply: FakeAnswer, body: object, route: 'chat' | 'responses' = 'chat'): Promise<Settled> {
  const world = worlds.get(kind);
  world.upstream.reply = () => reply;
  const answer = responseOf(await world.call(body, { route }));
  const { text } = await readAll(answer);
  const { costNanoUsd, basis, outcome, overrun } = world.settlements.at(-1)!;
  return { costTokens: costNanoUsd / 1_000, holdTokens: heldTokensOf(answer), basis, outcome, overrun, text };
}

const EVENT_STREAM = { 'content-type': 'text/event-stream' };
const stream = (...events: string[]): FakeAnswer => new FakeAnswer(200, EVENT_STREAM).push(...events);
const asked = chatBody({ model: 'any', stream: true, stream_options: { include_usage: true } });

const TEXT = 'data: {"choices":[{"index":0,"delta":{"content":"hello"},"finish_reason":"stop"}]}\n\n';
const DONE = 'data: [DONE]\n\n';
const USAGE = (usage: object): string => `data: ${JSON.stringify({ choices: [], usage })}\n\n`;

describe('what is told half stays so, whatever stands beside it (I2)', () => {
  test.each([
    ['a cost below nothing', { prompt_tokens: 0, completion_tokens: 0, cost: -1 }],
    ['a cost below nothing, as a string', { prompt_tokens: 0, completion_tokens: 0, cost: '-0.5' }],
    ['a total with an output of -1', { prompt_tokens: 5, completion_tokens: -1, total_tokens: 5 }],
    ['a total that -1 was added to', { prompt_tokens: 5, completion_tokens: -1, total_tokens: 4 }],
  ])('%s', async (_name, usage) => {
    for (const reply of [stream(TEXT, USAGE(usage), DONE).finish(), jsonAnswer(200, { ...completion(), usage })]) {
      const { costTokens, holdTokens, basis } = await settled('custom', reply, asked);
      expect({ costTokens, basis }).toEqual({ costTokens: holdTokens, basis: 'held' });
    }
  });

  test('a total that says more than -1 is one', async () => {
    const usage = { prompt_tokens: 5, completion_tokens: -1, total_tokens: 10 };
    expect(await settled('custom', jsonAnswer(200, { ...completion(), usage }), asked)).toMatchObject({
      costTokens: 10,
      basis: 'reported',
    });
  });
});

describe('a usage that was told is not forgotten (I2)', () => {
  const DEAR = { prompt_tokens: 1_000_000, completion_tokens: 5 };

  test.each(['openai', 'custom'] as const)('when the stream of %s breaks behind it', async (kind) => {
    for (const reply of [stream(TEXT, USAGE(DEAR)).breakOff(), stream('data: {"choices":[]}\n\n', USAGE(DEAR)).finish()]) {
      const { costTokens, overrun, outcome } = await settled(kind, reply, asked);
      expect({ costTokens, overrun, outcome }).toEqual({ costTokens: 1_000_005, overrun: true, outcome: 'upstream_interrupted' });
    }
  });

  test('but one of nothing, told before the break, lowers no estimate', async () => {
    const { costTokens, holdTokens, basis } = await settled(
      'custom',
      stream(USAGE({ prompt_tokens: 1, completion_tokens: 1 }), TEXT).breakOff(),
      asked,
    );
    expect({ costTokens, basis }).toEqual({ costTokens: holdTokens, basis: 'held' });
  });

  test('when a second end of a response tells nothing', async () => {
    const end = (usage: object): string => `data: ${JSON.stringify({ type: 'response.completed', response: { id: 'resp_1', usage } })}\n\n`;
    const reply = stream(end({ input_tokens: 1_000_000, output_tokens: 5 }), end({ input_tokens: 0, output_tokens: 0 })).finish();
    const body = { model: 'any', input: 'hi', stream: true, max_output_tokens: 100 };
    expect(await settled('custom', reply, body, 'responses')).toMatchObject({ costTokens: 1_000_005, overrun: true });
  });
});

describe('a document that calls itself a stream', () => {
  const LONG = 'x'.repeat(3_000);
  const document = JSON.stringify({ ...completion(), choices: [{ index: 0, message: { content: LONG } }] }, null, 1);

  test('counts by what was delivered (I2)', async () => {
    const reply = new FakeAnswer(200, EVENT_STREAM).push(document).finish();
    const { costTokens } = await settled('openai', reply, { ...asked, max_tokens: 100_000 });
    expect(costTokens).toBeGreaterThan(LONG.length);
  });
});

describe('what our wish for usage added is taken out (I6)', () => {
  const hidden = { model: 'any', messages: [{ role: 'user', content: 'hi' }], stream: true };
  const SPREAD = 'data: {"choices":[],\ndata: "usage":{"prompt_tokens":5,"completion_tokens":3}}\n\n';

  test('when it is spread over several lines', async () => {
    const reply = stream(TEXT, SPREAD, DONE).finish();
    expect(await settled('openai', reply, hidden)).toMatchObject({ costTokens: 8, basis: 'reported', text: TEXT + DONE });
  });

  test('but text in an encoding that we do not know is passed as it comes', async () => {
    const world = worlds.get('openai');
    const reply = new FakeAnswer(200, { ...EVENT_STREAM, 'content-encoding': 'unheard-of' }).push('abc');
    world.upstream.reply = () => reply;
    const reader = responseOf(await world.call(hidden)).body!.getReader();
    const { value } = await reader.read();
    expect(new TextDecoder().decode(value)).toBe('abc');
    await reader.cancel();
  });
});
