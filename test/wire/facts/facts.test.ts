import { describe, expect, test } from 'bun:test';
import type { RequestFacts } from '../../../src/domain/facts.ts';
import { chatFacts, embeddingFacts, responsesFacts } from '../../support/facts.ts';

describe('what a chat body says', () => {
  const user = (content: unknown) => ({ messages: [{ role: 'user', content }] });
  const functionTool = { type: 'function', function: { name: 'f', parameters: { type: 'object' } } };
  const rows: readonly [string, Record<string, unknown>, Partial<RequestFacts>][] = [
    ['text', user('héllo'), { textBytes: 6, nfkcTextBytes: 6, messageCount: 1, toolCount: 0 }],
    ['ligatures grow under NFKC', user('ﷺ'), { textBytes: 3, nfkcTextBytes: 33 }],
    [
      'parts',
      user([
        { type: 'text', text: 'ab' },
        { type: 'text', text: 'cd' },
      ]),
      { textBytes: 5 },
    ],
    [
      'names and tool calls are text',
      { messages: [{ role: 'assistant', content: null, name: 'bob', tool_call_id: 'x' }] },
      { textBytes: 4 },
    ],
    ['reasoning that is sent back is text', { messages: [{ role: 'assistant', content: 'a', reasoning_content: 'bc' }] }, { textBytes: 3 }],
    ['tools', { tools: [functionTool] }, { toolCount: 1, toolBytes: JSON.stringify([functionTool]).length, wantsLongAnswer: true }],
    ['functions of before', { functions: [{ name: 'f' }] }, { toolCount: 1, wantsLongAnswer: true }],
    ['a JSON schema', { response_format: { type: 'json_schema', json_schema: {} } }, { toolBytes: 39, wantsLongAnswer: true }],
    ['plain formats say nothing', { response_format: { type: 'text' } }, { toolBytes: 0, wantsLongAnswer: false }],
    ['caps', { max_tokens: 5, max_completion_tokens: 5 }, { outputCaps: { max_tokens: 5, max_completion_tokens: 5 } }],
    ['null caps are absent', { max_tokens: null }, { outputCaps: {} }],
    ['choices', { n: 3 }, { choices: 3 }],
    ['stream', { stream: true, stream_options: { include_usage: false } }, { stream: true, includeUsage: false }],
    ['no stream', {}, { stream: false, includeUsage: null }],
    ['end user', { user: 'a' }, { endUser: 'a' }],
    ['safety_identifier is the newer name', { user: 'a', safety_identifier: 'b' }, { endUser: 'b' }],
    ['tier', { service_tier: 'priority' }, { serviceTier: 'priority' }],
    ['fallbacks', { models: ['a', 'b'] }, { fallbackModels: ['a', 'b'] }],
    ['prediction', { prediction: { type: 'content', content: 'abc' } }, { predictionBytes: 3 }],
    ['audio out', { modalities: ['text', 'audio'], audio: { voice: 'x' } }, { outputMedia: ['audio'] }],
    ['effort', { reasoning_effort: 'high' }, { asksReasoning: true, wantsLongAnswer: true }],
    ['no effort', { reasoning_effort: 'none' }, { asksReasoning: false, wantsLongAnswer: false }],
    ['budget', { reasoning: { max_tokens: 900 } }, { asksReasoning: true, reasoningBudgetTokens: 900 }],
    ['thinking', { thinking: { type: 'enabled', budget_tokens: 7 } }, { asksReasoning: true, reasoningBudgetTokens: 7 }],
    ['thinking off', { thinking: { type: 'disabled' }, enable_thinking: false }, { asksReasoning: false }],
    ['cache for an hour', user([{ type: 'text', text: 'a', cache_control: { type: 'ephemeral', ttl: '1h' } }]), { longCacheWrites: true }],
    ['cache for minutes', user([{ type: 'text', text: 'a', cache_control: { type: 'ephemeral' } }]), { longCacheWrites: false }],
    ['max price', { provider: { max_price: { prompt: '1.5', completion: 2 } } }, { providerMaxPrice: { prompt: 1.5, completion: 2 } }],
    ['plugins', { plugins: [{ id: 'web' }] }, { hostedTools: ['plugins'], unknownFields: [] }],
    ['web search on chat', { web_search_options: {} }, { hostedTools: ['web_search_options'] }],
    ['search switched off', { enable_search: false }, { hostedTools: [] }],
    ['unknown members', { best_of: 2, constructor: 1, speed: 'fast' }, { unknownFields: ['best_of', 'constructor', 'speed'] }],
    ['unknown members that are null', { best_of: null }, { unknownFields: [] }],
    ['unknown parts', user([{ type: 'hologram', data: 'x' }]), { unknownFields: ['content.hologram'] }],
    ['stored file', user([{ type: 'file', file: { file_id: 'file-1' } }]), { storedReferences: ['file-1'] }],
    ['stored answer', { messages: [{ role: 'assistant', audio: { id: 'audio_1' } }] }, { storedReferences: ['audio_1'] }],
  ];
  test.each(rows)('%s', (_name, body, expected) => {
    expect(chatFacts(body)).toMatchObject(expected);
  });

  test("members of today's dialects are known", () => {
    const members =
      'temperature top_p seed stop logprobs top_logprobs logit_bias user metadata store verbosity moderation prompt_cache_key ' +
      'parallel_tool_calls reasoning_format top_k min_p repetition_penalty transforms guided_json safe_prompt ignore_eos keep_alive';
    const body = Object.fromEntries(members.split(' ').map((name) => [name, 1]));
    expect(chatFacts(body)).toMatchObject({ unknownFields: [], hostedTools: [] });
  });
});

describe('what a responses body says', () => {
  const web = { type: 'web_search', external_web_access: false };
  const rows: readonly [string, Record<string, unknown>, Partial<RequestFacts>][] = [
    ['text', { input: 'abc' }, { textBytes: 3, messageCount: 1 }],
    ['instructions', { input: 'abc', instructions: 'de' }, { textBytes: 5, messageCount: 2 }],
    ['items', { input: [{ role: 'user', content: [{ type: 'input_text', text: 'abc' }] }] }, { textBytes: 3 }],
    [
      'calls and outputs',
      {
        input: [
          { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
          { type: 'function_call_output', call_id: 'c', output: 'ok' },
        ],
      },
      { textBytes: 5 },
    ],
    ['encrypted reasoning', { input: [{ type: 'reasoning', id: 'rs', summary: [], encrypted_content: 'abcd' }] }, { textBytes: 6 }],
    ['tools in items', { input: [{ type: 'tool_search_output', call_id: 'c', tools: [{ a: 1 }] }] }, { textBytes: 9, toolBytes: 9 }],
    [
      'client tools',
      { tools: [{ type: 'function' }, { type: 'custom' }, { type: 'local_shell' }, { type: 'apply_patch' }, { type: 'shell' }] },
      { hostedTools: [], toolCount: 5 },
    ],
    ['a search that the client runs', { tools: [{ type: 'tool_search', execution: 'client' }] }, { hostedTools: [] }],
    ['a shell in a container', { tools: [{ type: 'shell', environment: { type: 'container_auto' } }] }, { hostedTools: ['shell'] }],
    ['hosted tools', { tools: [web, { type: 'mcp' }] }, { hostedTools: ['web_search', 'mcp'] }],
    [
      'tools in a namespace',
      { tools: [{ type: 'namespace', name: 'n', tools: [{ type: 'function' }, web] }] },
      { hostedTools: ['web_search'], toolCount: 3 },
    ],
    ['tools that nobody knows', { tools: [{ type: 'telepathy' }] }, { hostedTools: ['telepathy'] }],
    ['stored response', { previous_response_id: 'resp_1' }, { storedReferences: ['resp_1'] }],
    ['conversation', { conversation: { id: 'conv_1' } }, { storedReferences: ['conv_1'] }],
    ['prompt', { prompt: { id: 'pmpt_1', variables: { a: 'xyz' } } }, { storedReferences: ['pmpt_1'], textBytes: 3 }],
    ['item', { input: [{ type: 'item_reference', id: 'msg_1' }] }, { storedReferences: ['msg_1'], textBytes: 0 }],
    ['item without a type', { input: [{ id: 'msg_1' }] }, { storedReferences: ['msg_1'] }],
    ['file', { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'file-1' }] }] }, { storedReferences: ['file-1'] }],
    [
      'vector stores and containers',
      {
        input: 'a',
        tools: [
          { type: 'file_search', vector_store_ids: ['vs_1'] },
          { type: 'code_interpreter', container: 'cntr_1' },
        ],
      },
      { storedReferences: ['vs_1', 'cntr_1'] },
    ],
    ['tool calls', { max_tool_calls: 3 }, { maxToolCalls: 3 }],
    ['format', { text: { format: { type: 'json_schema' } } }, { wantsLongAnswer: true }],
  ];
  test.each(rows)('%s', (_name, body, expected) => {
    expect(responsesFacts(body)).toMatchObject(expected);
  });
});

test.each([
  ['abc', { inputItems: 1, inputTokenIds: 0, textBytes: 3 }],
  [['ab', 'c'], { inputItems: 2, inputTokenIds: 0, textBytes: 3 }],
  [[1, 2, 3], { inputItems: 1, inputTokenIds: 3, textBytes: 0 }],
  [[[1], [2, 3]], { inputItems: 2, inputTokenIds: 3, textBytes: 0 }],
  [[{ type: 'image_url', image_url: { url: 'https://x.test/a.png' } }], { inputItems: 1, textBytes: 0 }],
])('embedding input %p', (input, expected) => {
  expect(embeddingFacts({ input })).toMatchObject(expected);
});
