import { letterId } from './ids.ts';
import { asObject, type JsonObject } from './json.ts';
import { count, make, type Counted, type Made } from './made.ts';
import type { Asked } from './request.ts';
import { event, type Step } from './steps.ts';

interface ChatAnswer {
  readonly asked: Asked;
  readonly made: Made;
  readonly callId: string;
  /** Members that every chunk, or the whole answer, begins with. */
  readonly head: JsonObject;
  readonly usage: JsonObject | null;
}

function prepare(asked: Asked, createdSeconds: number): ChatAnswer {
  const made = make(asked);
  const head = {
    id: letterId('chatcmpl-', 29),
    object: asked.stream ? 'chat.completion.chunk' : 'chat.completion',
    created: createdSeconds,
    model: asked.model,
  };
  const usage = asked.trigger === 'no-usage' ? null : usageOf(count(asked, made));
  return { asked, made, callId: letterId('call_', 24), head, usage };
}

/** The whole body of a chat completion. */
export function chatJson(asked: Asked, createdSeconds: number): JsonObject {
  const answer = prepare(asked, createdSeconds);
  const choices = Array.from({ length: asked.choices }, (_, index) => ({
    index,
    message: messageOf(answer),
    logprobs: null,
    finish_reason: finishOf(answer),
  }));
  const usage = answer.usage === null ? {} : { usage: answer.usage };
  return { ...answer.head, choices, ...usage, service_tier: 'default', system_fingerprint: 'fp_simulator' };
}

/** The events of a streamed chat completion, with a pause before each token. */
export function* chatStream(asked: Asked, createdSeconds: number, pauseMs: number): Generator<Step> {
  const answer = prepare(asked, createdSeconds);
  const wantsUsage = asObject(asked.body['stream_options'])['include_usage'] === true && answer.usage !== null;
  const chunk = (choices: readonly unknown[], usage: unknown = null): string =>
    event({ ...answer.head, service_tier: 'default', system_fingerprint: 'fp_simulator', choices, ...(wantsUsage ? { usage } : {}) });
  const delta = (index: number, part: JsonObject, finish: string | null = null): string =>
    chunk([{ index, delta: part, logprobs: null, finish_reason: finish }]);

  for (let index = 0; index < asked.choices; index++) yield delta(index, openingOf(answer));
  for (const piece of answer.made.pieces) {
    if (pauseMs > 0) yield { pauseMs };
    for (let index = 0; index < asked.choices; index++) yield delta(index, partOf(answer, piece));
  }
  for (let index = 0; index < asked.choices; index++) yield delta(index, {}, finishOf(answer));
  if (wantsUsage) yield chunk([], answer.usage);
  yield 'data: [DONE]\n\n';
}

function messageOf({ asked, made, callId }: ChatAnswer): JsonObject {
  if (asked.call === null) return { role: 'assistant', content: made.text, refusal: null, annotations: [] };
  const call = { id: callId, type: 'function', function: { name: asked.call.name, arguments: made.text } };
  return { role: 'assistant', content: null, tool_calls: [call], refusal: null, annotations: [] };
}

function openingOf({ asked, callId }: ChatAnswer): JsonObject {
  if (asked.call === null) return { role: 'assistant', content: '', refusal: null };
  const call = { index: 0, id: callId, type: 'function', function: { name: asked.call.name, arguments: '' } };
  return { role: 'assistant', content: null, tool_calls: [call], refusal: null };
}

function partOf({ asked }: ChatAnswer, piece: string): JsonObject {
  return asked.call === null ? { content: piece } : { tool_calls: [{ index: 0, function: { arguments: piece } }] };
}

function finishOf({ asked, made }: ChatAnswer): string {
  if (made.cutShort) return 'length';
  return asked.call === null ? 'stop' : 'tool_calls';
}

function usageOf(counted: Counted): JsonObject {
  return {
    prompt_tokens: counted.inputTokens,
    completion_tokens: counted.outputTokens,
    total_tokens: counted.inputTokens + counted.outputTokens,
    prompt_tokens_details: { cached_tokens: counted.cachedTokens, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: counted.reasoningTokens,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}
