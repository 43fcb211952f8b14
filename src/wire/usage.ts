import type { Route } from '../domain/candidate.ts';
import type { Usage } from '../domain/usage.ts';
import { readCost } from './usage/cost.ts';
import { Figures, HALF_TOLD, MAX_TOKENS, objectIn, type Json } from './usage/figures.ts';
import { readToolCalls } from './usage/tools.ts';

/**
 * What an answer, a chunk of a stream, or a `response.completed` event says was used, or null when it says nothing
 * that can be counted. Never throws. What is nonsense is mended towards the greater cost and named in `flags`.
 */
export function readUsage(route: Route, value: unknown): Usage | null {
  const outer = objectIn(value);
  if (outer === null) return null;
  const answer = objectIn(outer['response']) ?? outer;
  const usage = findUsage(answer);
  return usage === null ? null : usageOf(route, answer, usage);
}

/** Providers put it at the top, Groq also in `x_groq`, Moonshot in the first choice. */
function findUsage(answer: Json): Json | null {
  const usage = objectIn(answer['usage']) ?? objectIn(objectIn(answer['x_groq'])?.['usage']);
  if (usage !== null) return usage;
  const choices = answer['choices'];
  return Array.isArray(choices) ? objectIn(objectIn(choices[0])?.['usage']) : null;
}

function usageOf(route: Route, answer: Json, usage: Json): Usage | null {
  const figures = new Figures();
  const input = readInput(usage, figures);
  const reported = figures.greatest(usage['completion_tokens'], usage['output_tokens']);
  const total = figures.count(usage['total_tokens']);
  const providerCostNanoUsd = readCost(usage, figures);
  if (input.tokens === null && reported === null && total === null && providerCostNanoUsd === null) return null;

  const inputTokens = inputOf(route, input.tokens, reported, total, figures);
  const outputDetails = detailsOf(usage, 'completion_tokens_details', 'output_tokens_details');
  const reasoning = figures.greatest(outputDetails?.['reasoning_tokens'], usage['reasoning_tokens']) ?? 0;
  const outputTokens = outputOf(route, inputTokens, reported, total, reasoning, figures);
  if (!namesCost(providerCostNanoUsd, figures) && tellsHalf(route, inputTokens, reported, total, usage)) figures.flag(HALF_TOLD);
  const cachedInputTokens = atMost(input.cached, inputTokens, 'cached_over_input', figures);
  return {
    inputTokens,
    cachedInputTokens,
    cacheWriteTokens: atMost(input.written, inputTokens - cachedInputTokens, 'cache_write_over_input', figures),
    audioInputTokens: atMost(input.audio, inputTokens, 'audio_over_total', figures),
    outputTokens,
    reasoningTokens: Math.min(reasoning, outputTokens),
    audioOutputTokens: atMost(figures.count(outputDetails?.['audio_tokens']) ?? 0, outputTokens, 'audio_over_total', figures),
    providerCostNanoUsd,
    toolCalls: readToolCalls(answer, usage, figures),
    flags: figures.flags,
  };
}

/**
 * Whether the figures leave out what surely was billed: no request has an input of nothing, some servers write -1 or zeros for what
 * they do not count, and an output that is not told is not one of nothing. A total stands for what is missing.
 */
function tellsHalf(route: Route, inputTokens: number, reported: number | null, total: number | null, usage: Json): boolean {
  const outputIsUnknown = isNegative(usage['completion_tokens']) || isNegative(usage['output_tokens']);
  if (total !== null && total > 0) return (inputTokens === 0 && reported !== null) || (outputIsUnknown && total <= inputTokens);
  return inputTokens === 0 || (reported === null && route !== 'embeddings') || outputIsUnknown;
}

/** Whether the provider says what it takes, which then stands for all: that may be nothing, but not less. */
function namesCost(providerCostNanoUsd: number | null, { flags }: Figures): boolean {
  return providerCostNanoUsd !== null && (providerCostNanoUsd > 0 || !flags.includes('negative'));
}

const isNegative = (value: unknown): boolean =>
  typeof value === 'number' ? value < 0 : typeof value === 'string' && value.startsWith('-');

interface InputFigures {
  readonly tokens: number | null;
  readonly cached: number;
  readonly written: number;
  readonly audio: number;
}

function readInput(usage: Json, figures: Figures): InputFigures {
  const details = detailsOf(usage, 'prompt_tokens_details', 'input_tokens_details') ?? objectIn(usage['prompt_token_details']);
  const read = figures.count(usage['cache_read_input_tokens']) ?? 0;
  const created = figures.count(usage['cache_creation_input_tokens']) ?? 0;
  const cached = figures.greatest(
    details?.['cached_tokens'],
    usage['prompt_cache_hit_tokens'],
    usage['num_cached_tokens'],
    usage['cached_tokens'],
  );
  const written = figures.greatest(details?.['cache_write_tokens'], details?.['cache_creation_tokens']);
  const tokens = figures.greatest(usage['prompt_tokens'], usage['input_tokens']);
  return {
    tokens: tokens !== null && cacheStandsApart(usage, tokens, read + created) ? tokens + read + created : tokens,
    cached: Math.max(cached ?? 0, read),
    written: Math.max(written ?? 0, created),
    audio: figures.greatest(details?.['audio_tokens'], usage['audio_prompt_tokens']) ?? 0,
  };
}

/** Anthropic's own `input_tokens` leave out what went through the cache; gateways that speak of `prompt_tokens` mostly count it in. */
function cacheStandsApart(usage: Json, tokens: number, throughCache: number): boolean {
  if (throughCache === 0) return false;
  const native = usage['prompt_tokens'] === undefined && objectIn(usage['input_tokens_details']) === null;
  return native || throughCache > tokens;
}

function detailsOf(usage: Json, name: string, otherName: string): Json | null {
  return objectIn(usage[name]) ?? objectIn(usage[otherName]);
}

function inputOf(route: Route, tokens: number | null, reported: number | null, total: number | null, figures: Figures): number {
  if (route === 'embeddings') return Math.max(tokens ?? 0, total ?? 0);
  if (tokens !== null) return tokens;
  figures.flag('input_missing');
  return reported === null ? 0 : Math.max((total ?? 0) - reported, 0);
}

/** The greater of what is said and of what the total leaves: some providers do not count reasoning in. */
function outputOf(
  route: Route,
  inputTokens: number,
  reported: number | null,
  total: number | null,
  reasoning: number,
  figures: Figures,
): number {
  if (route === 'embeddings') return reported ?? 0;
  if (reported === null && total === null) figures.flag('output_missing');
  const output = Math.max(reported ?? 0, (total ?? 0) - inputTokens);
  if (reasoning <= output) return output;
  // More than the whole cannot be a part of it: it was counted apart.
  figures.flag('reasoning_over_output');
  return Math.min(output + reasoning, MAX_TOKENS);
}

function atMost(
  tokens: number,
  limit: number,
  flag: 'cached_over_input' | 'cache_write_over_input' | 'audio_over_total',
  figures: Figures,
): number {
  if (tokens <= limit) return tokens;
  figures.flag(flag);
  return limit;
}
