import type { Route } from '../domain/candidate.ts';
import { Refusal } from '../domain/errors.ts';
import type { RequestFacts } from '../domain/facts.ts';
import { chatRepeats, walkMessages } from './facts/chat.ts';
import {
  checkBoolean,
  checkCount,
  checkObject,
  countOrNull,
  invalid,
  isAbsent,
  isObject,
  type JsonObject,
  stringOrNull,
} from './facts/checks.ts';
import { walkEmbeddingInput } from './facts/embeddings.ts';
import { sortFields } from './facts/fields.ts';
import { fingerprintOf } from './facts/fingerprint.ts';
import {
  asksReasoning,
  maxPriceOf,
  outputMediaOf,
  predictionBytesOf,
  reasoningBudgetOf,
  thinkingBudgetOf,
  walkFormat,
} from './facts/options.ts';
import { responsesRepeats, walkInput } from './facts/responses.ts';
import { Tally } from './facts/tally.ts';
import { walkTools } from './facts/tools.ts';
import { NO_LONG_TEXTS, type LongTexts } from './json/long-text.ts';

const MAX_MODEL_CHARACTERS = 256;
const CAP_FIELDS: Readonly<Record<Route, readonly string[]>> = {
  chat: ['max_tokens', 'max_completion_tokens'],
  responses: ['max_output_tokens'],
  embeddings: [],
};

function checkModel(value: JsonObject): Refusal | null {
  const model = value['model'];
  if (isAbsent(model) || model === '') {
    return new Refusal('missing_model', 'The request names no model. Set model to one of GET /v1/models.', { param: 'model' });
  }
  if (typeof model !== 'string' || model.length > MAX_MODEL_CHARACTERS) {
    return invalid('model', `a string of at most ${MAX_MODEL_CHARACTERS} characters`);
  }
  return null;
}

function checkModels(value: JsonObject): Refusal | null {
  const models = value['models'];
  if (isAbsent(models)) return null;
  const fine = Array.isArray(models) && models.every((name) => typeof name === 'string' && name.length > 0);
  return fine ? null : invalid('models', 'an array of model names');
}

function checkCaps(route: Route, value: JsonObject): Refusal | null {
  const sent = CAP_FIELDS[route].filter((name) => !isAbsent(value[name]));
  for (const name of sent) {
    const refusal = checkCount(value, name);
    if (refusal) return refusal;
  }
  if (sent.every((name) => value[name] === value[sent[0]!])) return null;
  const message = `${sent.join(' and ')} differ. Send one of them, or the same value in both.`;
  return new Refusal('conflicting_caps', message, { param: sent[1]! });
}

function checkBackground(value: JsonObject): Refusal | null {
  if (value['background'] !== true) return checkBoolean(value, 'background');
  const message = 'background: true is not supported, because its usage would never be seen here. Leave it out and stream.';
  return new Refusal('background_unsupported', message, { param: 'background' });
}

function check(route: Route, value: JsonObject): Refusal | null {
  return (
    checkModel(value) ??
    checkModels(value) ??
    checkCaps(route, value) ??
    checkCount(value, 'n') ??
    checkCount(value, 'max_tool_calls') ??
    checkBoolean(value, 'stream') ??
    checkObject(value, 'stream_options') ??
    checkObject(value, 'provider') ??
    checkBackground(value)
  );
}

function capsOf(route: Route, value: JsonObject): Record<string, number> {
  const caps: Record<string, number> = {};
  for (const name of CAP_FIELDS[route]) {
    const cap = countOrNull(value, name);
    if (cap !== null) caps[name] = cap;
  }
  return caps;
}

function walk(route: Route, tally: Tally, value: JsonObject): { items: number; tokenIds: number } | Refusal {
  if (route === 'embeddings') return walkEmbeddingInput(tally, value);
  walkTools(tally, value);
  walkFormat(tally, value);
  const refusal = route === 'chat' ? walkMessages(tally, value) : walkInput(tally, value);
  return refusal ?? { items: 0, tokenIds: 0 };
}

/**
 * Reads what policy and pricing care for out of a parsed body. Never stricter than the providers' own checks, except where a
 * bound needs it. Answers with a refusal (400) that names the member in `param`. An outline comes with the `longTexts` that it
 * has placeholders for; `shortenedNumberBytes` are those of numbers that a parsed value writes shorter than another reader would.
 */
export function readFacts(
  route: Route,
  value: JsonObject,
  longTexts: LongTexts = NO_LONG_TEXTS,
  shortenedNumberBytes = 0,
): RequestFacts | Refusal {
  const refusal = check(route, value);
  if (refusal) return refusal;
  const tally = new Tally(longTexts);
  tally.shortenedNumbers(shortenedNumberBytes);
  const input = walk(route, tally, value);
  if (input instanceof Refusal) return input;
  sortFields(route, value, tally.unknownFields, tally.hostedTools);
  tally.cacheControl(value);
  const reasons = asksReasoning(value);
  const streamOptions = isObject(value['stream_options']) ? value['stream_options'] : null;
  const includeUsage = streamOptions?.['include_usage'];
  return {
    route,
    model: value['model'] as string,
    fallbackModels: Array.isArray(value['models']) ? (value['models'] as string[]) : [],
    stream: value['stream'] === true,
    includeUsage: typeof includeUsage === 'boolean' ? includeUsage : null,
    endUser: stringOrNull(value['safety_identifier']) ?? stringOrNull(value['user']),
    textBytes: tally.textBytes,
    nfkcTextBytes: tally.nfkcTextBytes,
    toolBytes: tally.toolBytes,
    messageCount: tally.messageCount,
    toolCount: tally.toolCount,
    media: tally.media,
    inputItems: input.items,
    inputTokenIds: input.tokenIds,
    predictionBytes: predictionBytesOf(value, longTexts),
    choices: countOrNull(value, 'n') ?? 1,
    outputCaps: capsOf(route, value),
    serviceTier: stringOrNull(value['service_tier']),
    wantsLongAnswer: tally.wantsLongAnswer || reasons,
    asksReasoning: reasons,
    declinesReasoning: value['enable_thinking'] === false,
    thinkingBudgetTokens: thinkingBudgetOf(value),
    reasoningBudgetTokens: reasoningBudgetOf(value),
    longCacheWrites: tally.longCacheWrites,
    providerMaxPrice: maxPriceOf(value),
    hostedTools: tally.hostedTools,
    maxToolCalls: countOrNull(value, 'max_tool_calls'),
    storedReferences: tally.storedReferences,
    outputMedia: outputMediaOf(value),
    unknownFields: tally.unknownFields,
    fingerprint: fingerprintOf(value),
    repeatedToolCalls: route === 'chat' ? chatRepeats(value['messages']) : route === 'responses' ? responsesRepeats(value['input']) : 0,
  };
}
