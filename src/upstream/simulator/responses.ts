import { hexId, letterId } from './ids.ts';
import { asList, asObject, type JsonObject } from './json.ts';
import { count, make, type Counted, type Made } from './made.ts';
import type { Asked } from './request.ts';

/** A simulated response, before it is rendered as JSON or as events. */
export interface ResponseDraft {
  readonly asked: Asked;
  readonly made: Made;
  /** Members that do not change while the response is made. */
  readonly base: JsonObject;
  readonly reasoningId: string;
  readonly itemId: string;
  readonly callId: string;
  readonly usage: JsonObject | null;
}

/** Makes a response. */
export function draftResponse(asked: Asked, createdSeconds: number): ResponseDraft {
  const made = make(asked);
  const usage = asked.trigger === 'no-usage' ? null : usageOf(count(asked, made));
  const itemId = hexId(asked.call === null ? 'msg_' : 'fc_');
  return { asked, made, usage, itemId, callId: letterId('call_', 24), reasoningId: hexId('rs_'), base: baseOf(asked, createdSeconds) };
}

/** The response when it is over: `completed`, or `incomplete` when the cap cut it. */
export function finalResponse(draft: ResponseDraft): JsonObject {
  const incomplete = draft.made.cutShort;
  return {
    ...draft.base,
    status: incomplete ? 'incomplete' : 'completed',
    incomplete_details: incomplete ? { reason: 'max_output_tokens' } : null,
    output: [...(draft.asked.reasons ? [reasoningItem(draft)] : []), outputItem(draft)],
    usage: draft.usage,
  };
}

/** The response while it is made: no output and no usage yet. */
export function openResponse(draft: ResponseDraft): JsonObject {
  return { ...draft.base, status: 'in_progress', incomplete_details: null, output: [], usage: null };
}

/** The item that stands for hidden reasoning. */
export function reasoningItem(draft: ResponseDraft): JsonObject {
  return { id: draft.reasoningId, type: 'reasoning', summary: [] };
}

/** The message or the function call, finished. */
export function outputItem(draft: ResponseDraft): JsonObject {
  const { asked, made } = draft;
  const status = made.cutShort ? 'incomplete' : 'completed';
  if (asked.call !== null) return { ...callItem(draft), status, arguments: made.text };
  return { ...messageItem(draft), status, content: [textPart(made.text)] };
}

/** The message or the function call when it begins. */
export function openItem(draft: ResponseDraft): JsonObject {
  return draft.asked.call === null ? messageItem(draft) : callItem(draft);
}

/** A part of a message. */
export function textPart(text: string): JsonObject {
  return { type: 'output_text', annotations: [], logprobs: [], text };
}

function messageItem(draft: ResponseDraft): JsonObject {
  return { id: draft.itemId, type: 'message', status: 'in_progress', content: [], role: 'assistant' };
}

function callItem(draft: ResponseDraft): JsonObject {
  return {
    id: draft.itemId,
    type: 'function_call',
    status: 'in_progress',
    arguments: '',
    call_id: draft.callId,
    name: draft.asked.call?.name,
  };
}

function baseOf({ body, model, outputCap }: Asked, createdSeconds: number): JsonObject {
  return {
    id: hexId('resp_'),
    object: 'response',
    created_at: createdSeconds,
    background: false,
    error: null,
    instructions: body['instructions'] ?? null,
    max_output_tokens: outputCap,
    max_tool_calls: body['max_tool_calls'] ?? null,
    model,
    parallel_tool_calls: body['parallel_tool_calls'] ?? true,
    previous_response_id: body['previous_response_id'] ?? null,
    prompt_cache_key: body['prompt_cache_key'] ?? null,
    reasoning: { effort: null, summary: null, ...asObject(body['reasoning']) },
    safety_identifier: body['safety_identifier'] ?? null,
    service_tier: 'default',
    store: body['store'] ?? true,
    temperature: body['temperature'] ?? 1,
    text: { format: { type: 'text' }, verbosity: 'medium', ...asObject(body['text']) },
    tool_choice: body['tool_choice'] ?? 'auto',
    tools: asList(body['tools']),
    top_logprobs: body['top_logprobs'] ?? 0,
    top_p: body['top_p'] ?? 1,
    truncation: body['truncation'] ?? 'disabled',
    user: body['user'] ?? null,
    metadata: asObject(body['metadata']),
  };
}

function usageOf(counted: Counted): JsonObject {
  return {
    input_tokens: counted.inputTokens,
    input_tokens_details: { cached_tokens: counted.cachedTokens },
    output_tokens: counted.outputTokens,
    output_tokens_details: { reasoning_tokens: counted.reasoningTokens },
    total_tokens: counted.inputTokens + counted.outputTokens,
  };
}
