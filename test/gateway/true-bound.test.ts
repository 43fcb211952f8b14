import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { ProviderKind } from '../../src/domain/project.ts';
import { FlatWorlds } from '../support/flat-price.ts';
import { chatBody, refusalOf, responseOf, World, type CallOptions } from '../support/gateway.ts';
import { NOTHING } from '../support/policies.ts';

let worlds: FlatWorlds;
beforeAll(async () => {
  // A write to the cache is twice the input: then a hold is a number of tokens.
  worlds = await FlatWorlds.open(['openai', 'openrouter', 'groq', 'custom'], '0.5');
});
afterAll(() => worlds.close());

const heldTokens = (kind: ProviderKind, body: object | string, options?: CallOptions) => worlds.heldTokens(kind, body, options);

async function forwarded(kind: ProviderKind, body: object): Promise<Record<string, unknown>> {
  const world = worlds.get(kind);
  await responseOf(await world.call(body)).arrayBuffer();
  return world.upstream.body(world.upstream.arrived.length - 1);
}

const refusal = async (kind: ProviderKind, body: object, options: CallOptions = {}) =>
  refusalOf(await worlds.get(kind).call(body, options));

/** A model that nobody knows has a context of more than this. */
const CONTEXT = 2_000_000;

const ask = (content: unknown, more: object = {}) =>
  chatBody({ model: 'any', max_tokens: 16, messages: [{ role: 'user', content }], ...more });

describe('a cap above what is held for is not what goes out', () => {
  test.each([
    ['openai', 'gpt-4o', 'max_completion_tokens'],
    ['openai', 'gpt-4o', 'max_tokens'],
    ['openrouter', 'openai/gpt-4o', 'max_tokens'],
  ] as const)('%s %s %s', async (kind, model, field) => {
    const body = chatBody({ model, max_tokens: undefined, [field]: 1_000_000 });
    const sent = await forwarded(kind, body);
    expect(sent[field]).toBe(16_384);
    expect((await forwarded(kind, chatBody({ model, max_tokens: undefined, [field]: 100 })))[field]).toBe(100);
  });
});

test('reasoning that is set aside above the cap is held beside it: a seller may not count it as output of the answer', async () => {
  const held = (budget: number) => heldTokens('openrouter', ask('hi', { reasoning: { max_tokens: budget } }));
  expect((await held(50_000)) - (await held(1))).toBe(50_000);
});

test('more calls than a ledger can count tokens for are no trouble of the ledger', async () => {
  const world = await World.open({ policy: NOTHING });
  const body = { model: 'gpt-5', input: 'a', max_tool_calls: Number.MAX_SAFE_INTEGER, tools: [{ type: 'web_search' }] };
  const answer = responseOf(await world.call(body, { route: 'responses' }));
  await answer.arrayBuffer();
  await world.close();
  expect(answer.status).toBe(200);
});

describe('what hides a tool that the provider runs', () => {
  const HOSTED = { type: 'mcp', server_label: 'a', server_url: 'https://mcp.example.com' };
  const search = (tool: unknown) => ({
    model: 'gpt-5',
    max_output_tokens: 16,
    input: [{ type: 'tool_search_output', call_id: 'c', execution: 'client', tools: [tool] }],
  });

  test('an item that loads tools', async () => {
    const answer = await refusal('openai', search(HOSTED), { route: 'responses' });
    expect(answer.reason).toBe('unpriced_feature');
    expect(answer.message).toContain('tool mcp');
    const fine = { type: 'function', name: 'f', parameters: {} };
    expect(await heldTokens('openai', search(fine), { route: 'responses' })).toBeLessThan(20_000);
  });

  test.each([
    ['no type', { google_search: {} }, 'google_search'],
    ['no object', 'web_search', 'web_search'],
  ])('a tool of %s', async (_name, tool, named) => {
    const answer = await refusal('custom', ask('hi', { tools: [tool] }));
    expect(answer.reason).toBe('unpriced_feature');
    expect(answer.message).toContain(`tool ${named}`);
  });

  test('tools without a type that the client runs pass', async () => {
    expect(await heldTokens('custom', ask('hi', { tools: [{ function: { name: 'f' } }], functions: [{ name: 'f' }] }))).toBeGreaterThan(0);
  });

  test('tools that are no array are counted', async () => {
    const tools = { type: 'function', function: { name: 'f', description: 'x'.repeat(50_000) } };
    expect(await heldTokens('custom', ask('hi', { tools }))).toBeGreaterThan(100_000);
  });
});

describe('models that run tools or others by themselves', () => {
  test.each([
    ['openrouter', 'openai/gpt-4o:online:nitro'],
    ['groq', 'groq/compound'],
    ['groq', 'groq/compound-mini'],
    ['groq', 'compound-beta'],
  ] as const)('%s %s', async (kind, model) => {
    expect((await refusal(kind, chatBody({ model }))).reason).toBe('unpriced_feature');
  });
});

const PIXEL = `data:image/png;base64,${Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de00', 'hex').toString('base64')}`;

describe('a document that a router reads for a fee a page', () => {
  const file = [{ type: 'file', file: { filename: 'a.pdf', file_data: 'https://files.example.com/a.pdf' } }];
  const ofModel = (model: string) => chatBody({ model, max_tokens: 16, messages: [{ role: 'user', content: file }] });

  test('to a model that reads none itself', async () => {
    const answer = await refusal('openrouter', ofModel('deepseek/deepseek-chat-v3.1'));
    expect(answer.reason).toBe('unpriced_feature');
    expect(answer.message).toContain('"allow_fields": ["file"]');
  });

  test('to one that does, and of another provider', async () => {
    expect(await heldTokens('openrouter', ofModel('openai/gpt-4o'))).toBeGreaterThan(100_000);
    expect(await heldTokens('custom', ofModel('any'))).toBeGreaterThan(CONTEXT);
  });
});

describe('every medium of a part counts, whichever of them the provider reads', () => {
  test.each([
    ['a small image beside an address', [{ type: 'image', image_url: PIXEL, image: 'https://img.example.com/a.png' }]],
    ['an image beside a film, of no kind', [{ image_url: { url: PIXEL }, video_url: { url: 'https://img.example.com/a.mp4' } }]],
  ])('%s', async (_name, content) => {
    expect(await heldTokens('custom', ask(content))).toBeGreaterThan(CONTEXT);
  });

  test('images beside the content of a message', async () => {
    const images = [{ type: 'image_url', image_url: { url: 'https://img.example.com/a.png' } }];
    const body = chatBody({ model: 'any', max_tokens: 16, messages: [{ role: 'assistant', content: 'hi', images }] });
    expect(await heldTokens('custom', body)).toBeGreaterThan(CONTEXT);
  });

  test('one small image is held as such', async () => {
    expect(await heldTokens('custom', ask([{ type: 'image_url', image_url: { url: PIXEL } }]))).toBeLessThan(10_000);
  });

  test('an image that an item brings without an id', async () => {
    const item = { type: 'image_generation_call', result: 'AAAA', status: 'completed' };
    const body = { model: 'gpt-5', max_output_tokens: 16, input: [item] };
    expect(await heldTokens('openai', body, { route: 'responses' })).toBeGreaterThan(400_000);
  });

  test('a part of no kind with a medium that we do not know', async () => {
    const body = { model: 'any', input: [{ video: 'https://img.example.com/a.mp4' }] };
    const answer = await refusal('custom', body, { route: 'embeddings' });
    expect(answer.reason).toBe('unpriced_feature');
    expect(answer.message).toContain('content.video');
  });

  test('an input of an embedding with content and more', async () => {
    // Embeddings write no cache: half a micro-USD for a token.
    const text = 'x'.repeat(100_000);
    expect(await heldTokens('custom', { model: 'any', input: [{ content: [], text }] }, { route: 'embeddings' })).toBeGreaterThan(50_000);
    const image = 'https://img.example.com/a.png';
    expect(await heldTokens('custom', { model: 'any', input: [{ content: 'a', image }] }, { route: 'embeddings' })).toBeGreaterThan(
      CONTEXT / 2,
    );
  });
});

describe('what templates write between the words', () => {
  const COUNT = 5_000;

  test('the line break between two parts', async () => {
    const part = { type: 'text', text: 'a' };
    const held = (count: number) => heldTokens('custom', ask(Array.from({ length: count }, () => part)));
    expect((await held(COUNT)) - (await held(1))).toBeGreaterThanOrEqual(2 * (COUNT - 1));
  });

  test('the spaces before small values deep inside of a tool', async () => {
    let parameters: unknown = Array.from({ length: COUNT }, () => 1);
    for (let depth = 0; depth < 50; depth++) parameters = [parameters];
    const tools = [{ type: 'function', function: { name: 'f', parameters: { enum: parameters } } }];
    // Fifty levels of four spaces, in runs of sixteen: thirteen tokens, and the value, the comma and the line break.
    expect(await heldTokens('custom', ask('hi', { tools }))).toBeGreaterThan(COUNT * 16);
  });

  test('the id of the call that a message answers', async () => {
    const message = { role: 'tool', content: '', tool_call_id: '7'.repeat(64) };
    const body = chatBody({ model: 'any', max_tokens: 16, messages: Array.from({ length: COUNT }, () => message) });
    expect(await heldTokens('custom', body)).toBeGreaterThan(COUNT * 64);
  });
});

test('a cache write of an hour is dearer wherever it is asked for', async () => {
  const model = 'anthropic/claude-sonnet-4.5';
  const held = (cache_control: object) => {
    const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' }, cache_control };
    return heldTokens(
      'openrouter',
      chatBody({ model, max_tokens: 1, messages: [{ role: 'assistant', content: 'x'.repeat(10_000), tool_calls: [call] }] }),
    );
  };
  expect(await held({ type: 'ephemeral', ttl: '1h' })).toBeGreaterThan(1.4 * (await held({ type: 'ephemeral', ttl: '5m' })));
});
