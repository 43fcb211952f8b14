import { json, sse, type Answer, type AnswerOptions } from './behaviour.ts';

const usage = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 };
const head = { id: 'chatcmpl-mock', created: 1_767_225_600, model: 'mock-model' };

/** A small chat completion with usage. */
export function chatCompletion(content = 'Hello from mock', options: AnswerOptions = {}): Answer {
  const choice = { index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' };
  return json({ ...head, object: 'chat.completion', choices: [choice], usage }, options);
}

/** A streamed chat completion of `words` words; the usage chunk comes only when asked for. */
export function chatStream(words: number, withUsage: boolean, options: AnswerOptions = {}): Answer {
  const chunk = (choices: readonly unknown[], last: unknown = null) => ({
    ...head,
    object: 'chat.completion.chunk',
    choices,
    ...(withUsage ? { usage: last } : {}),
  });
  const deltas = Array.from({ length: words }, (_, index) =>
    chunk([{ index: 0, delta: { content: `word${index} ` }, finish_reason: null }]),
  );
  const events = [
    chunk([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }]),
    ...deltas,
    chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]),
    ...(withUsage ? [chunk([], { ...usage, completion_tokens: words, total_tokens: 9 + words })] : []),
    'data: [DONE]\n\n',
  ];
  return sse(events, options);
}

/** An embeddings answer for `count` inputs. */
export function embeddingList(count: number): Answer {
  const data = Array.from({ length: count }, (_, index) => ({ object: 'embedding', index, embedding: [1, 0] }));
  return json({ object: 'list', data, model: 'mock-model', usage: { prompt_tokens: 4, total_tokens: 4 } });
}
