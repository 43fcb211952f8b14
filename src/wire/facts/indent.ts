import type { JsonObject } from './checks.ts';

/** Templates of Llama's kind write tools as JSON with four spaces a level. */
const SPACES_PER_LEVEL = 4;
/** The longest run of spaces that is one token in the tokenizers with the shortest such runs (SentencePiece's). */
const SPACES_PER_TOKEN = 16;

/** The tokens of the line breaks and spaces that an indented rendering of a parsed value has and a compact one has not. */
export function indentTokens(value: unknown, level = 0): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inner = lineTokens(level + 1);
  let tokens = lineTokens(level);
  // No lists of members are made: a request with many tools comes through here once.
  if (Array.isArray(value)) for (const member of value as unknown[]) tokens += inner + indentTokens(member, level + 1);
  else for (const name in value) tokens += inner + indentTokens((value as JsonObject)[name], level + 1);
  return tokens;
}

function lineTokens(level: number): number {
  return 1 + Math.ceil((level * SPACES_PER_LEVEL) / SPACES_PER_TOKEN);
}
