import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { ProviderKind } from '../../src/domain/project.ts';
import { FlatWorlds, heldTokensOf } from '../support/flat-price.ts';
import {
  chatBody,
  completion,
  FakeAnswer,
  jsonAnswer,
  readAll,
  refusalOf,
  responseOf,
  World,
  type CallOptions,
} from '../support/gateway.ts';

let worlds: FlatWorlds;
beforeAll(async () => {
  worlds = await FlatWorlds.open(['openai', 'openrouter', 'xai', 'custom']);
});
afterAll(() => worlds.close());

const heldTokens = (kind: ProviderKind, body: object | string, options?: CallOptions) => worlds.heldTokens(kind, body, options);

describe('what the model may see is held, wherever it stands (I2)', () => {
  const LONG = 100_000;

  test.each([
    ['a role', { role: 'x'.repeat(LONG), content: 'hi' }],
    ['the id of a call', { role: 'tool', tool_call_id: 'x'.repeat(LONG), content: 'hi' }],
    ['the id of a message', { role: 'user', id: 'x'.repeat(LONG), content: 'hi' }],
  ])('%s that is long', async (_name, message) => {
    expect(await heldTokens('custom', chatBody({ model: 'any', messages: [message] }))).toBeGreaterThan(LONG);
  });

  test.each([
    ['pictures beside the content', { role: 'assistant', content: 'hi', images: ['https://example.com/a.png'] }],
    ['files beside the content', { role: 'user', content: 'hi', file_ids: ['file-1'] }],
    [
      'a picture given back',
      { role: 'assistant', content: '', images: [{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }] },
    ],
    ['one part that is in no list', { role: 'user', content: { type: 'image_url', image_url: { url: 'https://example.com/a.png' } } }],
  ])('%s: at the context limit', async (_name, message) => {
    expect(await heldTokens('custom', chatBody({ model: 'any', messages: [message] }))).toBeGreaterThan(1_000_000);
  });

  test('nothing beside the content is nothing', async () => {
    const message = { role: 'assistant', content: 'hi', images: [], files: null };
    expect(await heldTokens('custom', chatBody({ model: 'any', messages: [message] }))).toBeLessThan(10_000);
  });

  test('a tool that has no type and is no function is run by the provider', async () => {
    const ask = async (tool: object) => worlds.get('custom').call(chatBody({ model: 'any', tools: [tool] }));
    expect(refusalOf(await ask({ google_search: {} })).message).toContain('google_search');
    const answer = responseOf(await ask({ name: 'f', input_schema: {} }));
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();
  });

  test.each([
    ['that we cannot hold exactly, and others can', `1${'0'.repeat(300)}`],
    ['that are endless to us', `1${'0'.repeat(400)}`],
    ['with zeros behind the point', '0.0'],
    ['with many of them', `1.${'0'.repeat(19)}`],
    ['with an exponent', '0e0'],
  ])('numbers %s', async (_name, number) => {
    const numbers = Array.from({ length: 2_000 }, () => number).join(',');
    const tool = `{"type":"function","function":{"name":"f","parameters":{"enum":[${numbers}]}}}`;
    const body = `{"model":"any","max_tokens":10,"messages":[{"role":"user","content":"hi"}],"tools":[${tool}]}`;
    expect(await heldTokens('custom', body)).toBeGreaterThan(body.length);
  });
});

describe('an item that the provider fills from what it stored is held at the context limit (I2)', () => {
  const CONTEXT = 400_000;
  const held = (item: object) =>
    heldTokens('openai', { model: 'gpt-5', max_output_tokens: 16, input: [item, { role: 'user', content: 'hi' }] }, { route: 'responses' });

  test.each([
    ['reasoning', { type: 'reasoning', id: 'rs_1', summary: [] }],
    ['reasoning whose encrypted content is null', { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: null }],
    ['an image', { type: 'image_generation_call', id: 'ig_1' }],
    ['a search', { type: 'web_search_call', id: 'ws_1', status: 'completed' }],
    ['a file search', { type: 'file_search_call', id: 'fs_1', queries: ['a'], status: 'completed' }],
    ['a run of code', { type: 'code_interpreter_call', id: 'ci_1', code: '1', container_id: 'c', status: 'completed' }],
    ['a compaction', { type: 'compaction', id: 'cmp_1' }],
  ])('%s', async (_name, item) => {
    expect(await held(item)).toBeGreaterThan(CONTEXT);
  });

  test.each([
    ['reasoning that is in the body', { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'abcd' }],
    ['reasoning without an id', { type: 'reasoning', summary: [] }],
    ['a message', { type: 'message', id: 'msg_1', role: 'assistant', content: [{ type: 'output_text', text: 'hi' }] }],
    ['a call', { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'f', arguments: '{}' }],
  ])('%s is held as it stands', async (_name, item) => {
    expect(await held(item)).toBeLessThan(5_000);
  });
});

describe('models that ask other models, and bill what those say, have no bound', () => {
  test.each([
    ['openrouter', 'sakana/fugu-ultra'],
    ['openrouter', 'x-ai/grok-4.20-multi-agent'],
    ['xai', 'grok-4.20-multi-agent-0309'],
  ] as const)('%s %s', async (kind, model) => {
    const answer = refusalOf(await worlds.get(kind).call(chatBody({ model })));
    expect(answer.reason).toBe('unpriced_feature');
    expect(answer.message).toContain('multi_agent');
  });
});

const TEXT = 'data: {"choices":[{"index":0,"delta":{"content":"hello"},"finish_reason":"stop"}]}\n\n';
const EMPTY = 'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n';
const DONE = 'data: [DONE]\n\n';
const USAGE = (input: number, output: number): string =>
  `data: {"choices":[],"usage":{"prompt_tokens":${input},"completion_tokens":${output}}}\n\n`;

describe('usage that tells half of it is no bill (I2)', () => {
  const world = (): World => worlds.get('custom');
  const ask = async (usage: unknown, stream: boolean): Promise<{ cost: number; hold: number; basis: string }> => {
    const own = world();
    own.upstream.reply = () =>
      stream
        ? new FakeAnswer(200, { 'content-type': 'text/event-stream' })
            .push('data: {"choices":[{"index":0,"delta":{"content":"hello"},"finish_reason":"stop"}]}\n\n')
            .push(`data: {"choices":[],"usage":${JSON.stringify(usage)}}\n\n`, 'data: [DONE]\n\n')
            .finish()
        : jsonAnswer(200, { ...completion(), usage });
    const answer = responseOf(await own.call(chatBody({ model: 'any', stream })));
    await readAll(answer);
    const { costNanoUsd, basis } = own.settlements.at(-1)!;
    return { cost: costNanoUsd, hold: heldTokensOf(answer) * 1_000, basis };
  };

  test.each([
    ['nothing at all', { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }],
    ['unknown as -1', { prompt_tokens: -1, completion_tokens: -1, total_tokens: -1 }],
    ['no input', { completion_tokens: 5 }],
    ['an input of nothing', { prompt_tokens: 0, completion_tokens: 5, total_tokens: 5 }],
    ['no output', { prompt_tokens: 5 }],
    ['a negative output', { prompt_tokens: 5, completion_tokens: -2 }],
    ['an input that is no number', { prompt_tokens: 'many', completion_tokens: 5 }],
  ])('%s', async (_name, usage) => {
    for (const stream of [false, true]) {
      const { cost, hold, basis } = await ask(usage, stream);
      expect({ cost, basis }).toEqual({ cost: hold, basis: 'held' });
    }
  });

  test.each([
    ['of before the last text', [USAGE(5, 1), TEXT, DONE], { basis: 'held', isHold: true }],
    ['that is whole, and zeros after it', [TEXT, USAGE(1_000_000, 1), USAGE(0, 0), DONE], { cost: 1_000_001_000, basis: 'held' }],
    [
      'in two halves',
      [USAGE(1_000_000, 0), TEXT, 'data: {"choices":[],"usage":{"completion_tokens":5}}\n\n', DONE],
      { cost: 1_000_000_000 },
    ],
    ['that grows', [USAGE(5, 1), TEXT, USAGE(5, 2), TEXT, USAGE(5, 3), DONE], { cost: 8_000, basis: 'reported' }],
    ['before an empty chunk', [TEXT, USAGE(5, 3), EMPTY, DONE], { cost: 8_000, basis: 'reported' }],
  ])('usage of a stream %s', async (_name, events, { isHold, ...expected }: { cost?: number; basis?: string; isHold?: boolean }) => {
    const own = world();
    own.upstream.reply = () => new FakeAnswer(200, { 'content-type': 'text/event-stream' }).push(...events).finish();
    const answer = responseOf(await own.call(chatBody({ model: 'any', stream: true, stream_options: { include_usage: true } })));
    await readAll(answer);
    const { costNanoUsd: cost, basis } = own.settlements.at(-1)!;
    expect({ cost, basis }).toMatchObject(expected);
    if (isHold === true) expect(cost).toBe(heldTokensOf(answer) * 1_000);
  });

  test.each([
    ['both', { prompt_tokens: 5, completion_tokens: 5 }, 10_000],
    ['an answer of nothing', { prompt_tokens: 5, completion_tokens: 0, total_tokens: 5 }, 5_000],
    ['a total', { total_tokens: 10 }, 10_000],
    ['output and total', { completion_tokens: 4, total_tokens: 10 }, 10_000],
    ['input and total', { prompt_tokens: 6, total_tokens: 10 }, 10_000],
    ['the cost itself', { cost: 0.000001 }, 1_000],
    ['that it was free', { prompt_tokens: 0, completion_tokens: 0, cost: 0 }, 0],
  ])('%s is one', async (_name, usage, cost) => {
    for (const stream of [false, true]) expect(await ask(usage, stream)).toMatchObject({ cost, basis: 'reported' });
  });
});
