import type { JsonObject } from './json.ts';
import { finalResponse, openItem, openResponse, outputItem, reasoningItem, textPart, type ResponseDraft } from './responses.ts';
import { event, type Step } from './steps.ts';

/** The events of a streamed response, in OpenAI's order, with a pause before each token. */
export function* responseStream(draft: ResponseDraft, pauseMs: number): Generator<Step> {
  let sequence = 0;
  for (const step of steps(draft, pauseMs)) {
    if ('pauseMs' in step) yield { pauseMs: step.pauseMs };
    else yield event({ type: step.type, sequence_number: sequence++, ...step.members }, step.type);
  }
}

interface ResponseEvent {
  readonly type: string;
  readonly members: JsonObject;
}

type ResponseStep = ResponseEvent | { readonly pauseMs: number };

function* steps(draft: ResponseDraft, pauseMs: number): Generator<ResponseStep> {
  const { asked, made } = draft;
  const place = asked.reasons ? 1 : 0;
  yield of('response.created', { response: openResponse(draft) });
  yield of('response.in_progress', { response: openResponse(draft) });
  if (asked.reasons) {
    yield of('response.output_item.added', { output_index: 0, item: reasoningItem(draft) });
    yield of('response.output_item.done', { output_index: 0, item: reasoningItem(draft) });
  }
  yield of('response.output_item.added', { output_index: place, item: openItem(draft) });
  yield* asked.call === null ? textSteps(draft, place, pauseMs) : callSteps(draft, place, pauseMs);
  yield of('response.output_item.done', { output_index: place, item: outputItem(draft) });
  yield of(made.cutShort ? 'response.incomplete' : 'response.completed', { response: finalResponse(draft) });
}

function* textSteps(draft: ResponseDraft, place: number, pauseMs: number): Generator<ResponseStep> {
  const at = { item_id: draft.itemId, output_index: place, content_index: 0 };
  yield of('response.content_part.added', { ...at, part: textPart('') });
  for (const delta of draft.made.pieces) {
    if (pauseMs > 0) yield { pauseMs };
    yield of('response.output_text.delta', { ...at, delta, logprobs: [] });
  }
  yield of('response.output_text.done', { ...at, text: draft.made.text, logprobs: [] });
  yield of('response.content_part.done', { ...at, part: textPart(draft.made.text) });
}

function* callSteps(draft: ResponseDraft, place: number, pauseMs: number): Generator<ResponseStep> {
  const at = { item_id: draft.itemId, output_index: place };
  for (const delta of draft.made.pieces) {
    if (pauseMs > 0) yield { pauseMs };
    yield of('response.function_call_arguments.delta', { ...at, delta });
  }
  yield of('response.function_call_arguments.done', { ...at, name: draft.asked.call?.name, arguments: draft.made.text });
}

function of(type: string, members: JsonObject): ResponseEvent {
  return { type, members };
}
