import type { Refusal } from '../../domain/errors.ts';
import { invalid, isObject, type JsonObject } from './checks.ts';
import { unknownMedium, walkContent } from './content.ts';
import type { Tally } from './tally.ts';

/** How many inputs there are, and how many of their tokens were counted by the client. */
export interface EmbeddingInput {
  readonly items: number;
  readonly tokenIds: number;
}

const isToken = (value: unknown): boolean => typeof value === 'number';

/** Here a part's one member is often its kind, and one that we do not know may be any medium. */
function walkParts(tally: Tally, parts: unknown): void {
  walkContent(tally, parts);
  if (!Array.isArray(parts)) return;
  for (const part of parts) {
    const unknown = isObject(part) ? unknownMedium(part) : null;
    if (unknown !== null) tally.unknownFields.push(`content.${unknown}`);
  }
}

function walkItem(tally: Tally, item: unknown): number | null {
  if (typeof item === 'string') {
    tally.text(item);
    return 0;
  }
  if (Array.isArray(item) && item.every(isToken)) return item.length;
  // Models for several media take parts, bare or as the content of an item.
  if (!isObject(item)) return null;
  const { content, ...others } = item;
  walkParts(tally, content);
  walkParts(tally, [others]);
  return 0;
}

/** `input` of an embeddings request: a text, texts, tokens, or arrays of tokens. */
export function walkEmbeddingInput(tally: Tally, value: JsonObject): EmbeddingInput | Refusal {
  const input = value['input'];
  tally.json(value['instruction']);
  tally.json(value['prompt_name']);
  if (typeof input === 'string') {
    tally.text(input);
    return { items: 1, tokenIds: 0 };
  }
  if (!Array.isArray(input)) return invalid('input', 'a string or an array');
  if (input.length > 0 && input.every(isToken)) return { items: 1, tokenIds: input.length };
  let tokenIds = 0;
  for (let index = 0; index < input.length; index++) {
    const tokens = walkItem(tally, input[index]);
    if (tokens === null) return invalid(`input.${index}`, 'a string or an array of token ids');
    tokenIds += tokens;
  }
  return { items: input.length, tokenIds };
}
