import { exampleOf } from './example.ts';
import type { Asked } from './request.ts';
import { simulatorRates } from './rates.ts';
import { LONG_TOKENS } from './triggers.ts';

const BYTES_PER_TOKEN = 4;
const REASONING_TOKENS = 64;
const CACHE_STEP = 128;
const CACHE_FROM_TOKENS = 1_024;
const QUOTED_CHARACTERS = 200;

/** What one choice says: the same for the same request. */
export interface Made {
  /** Text or the arguments of the call, in pieces of one token each. */
  readonly pieces: readonly string[];
  readonly text: string;
  readonly reasoningTokens: number;
  /** True when the output cap cut it. */
  readonly cutShort: boolean;
}

/** Tokens of a whole request. */
export interface Counted {
  readonly inputTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
}

/** Makes the answer to a request. Every choice says the same. */
export function make(asked: Asked): Made {
  const cap = asked.outputCap ?? simulatorRates.outputLimit;
  const reasoningTokens = asked.reasons ? Math.min(REASONING_TOKENS, cap) : 0;
  const whole = piecesOf(wholeText(asked));
  const pieces = whole.slice(0, cap - reasoningTokens);
  return { pieces, text: pieces.join(''), reasoningTokens, cutShort: pieces.length < whole.length };
}

/** Counts a request and its answer; `sim-overrun` claims far more than any hold can be. */
export function count(asked: Asked, made: Made): Counted {
  if (asked.trigger === 'overrun') return overrun(asked);
  const inputTokens = tokensOf(asked.inputText);
  return {
    inputTokens,
    // As at a provider, only a long beginning can come from a cache.
    cachedTokens: inputTokens < CACHE_FROM_TOKENS ? 0 : Math.floor(inputTokens / 2 / CACHE_STEP) * CACHE_STEP,
    outputTokens: (made.pieces.length + made.reasoningTokens) * asked.choices,
    reasoningTokens: made.reasoningTokens * asked.choices,
  };
}

/** Tokens of a text: one for four bytes, at least one. Never more than its bytes when it has any. */
export function tokensOf(text: string): number {
  return Math.max(1, Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN));
}

function overrun(asked: Asked): Counted {
  const outputTokens = 2 * (asked.outputCap ?? simulatorRates.outputLimit) * asked.choices;
  return { inputTokens: 10_000 + 10 * asked.bodyBytes, cachedTokens: 0, outputTokens, reasoningTokens: 0 };
}

function wholeText(asked: Asked): string {
  if (asked.call !== null) return JSON.stringify(exampleOf(asked.call.parameters));
  if (asked.answerSchema !== null) return JSON.stringify(exampleOf(asked.answerSchema));
  if (asked.trigger === 'long') return Array.from({ length: LONG_TOKENS }, (_, index) => `word${index + 1}`).join(' ');
  const said = Array.from(asked.lastUserText.replace(/\s+/g, ' ').trim()).slice(0, QUOTED_CHARACTERS).join('');
  return `This is a simulated answer from Panicly: no provider was called. You said: "${said}"`;
}

function piecesOf(text: string): readonly string[] {
  return text.match(/\s*\S+|\s+$/g) ?? [];
}
