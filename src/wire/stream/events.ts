import type { Usage } from '../../domain/usage.ts';
import { objectIn, type Json } from '../usage/figures.ts';
import type { PlainEvent } from './template.ts';

/** What the events of one protocol tell. One for each stream. */
export interface EventReader {
  /** An event whose data is a JSON object. */
  read(event: Json): void;
  /**
   * What of an event that was just read may be another text in the next. Null when it says more than what it delivers: reading
   * the same once more has to change nothing but the sum of the delivered bytes.
   */
  plain(event: Json): PlainEvent | null;
  /** An event came that is known to be a plain one and delivers so many bytes. */
  readPlain(deliveredBytes: number): void;
  /** An event whose data is `[DONE]`. */
  readDone(): void;
  /** Whether the answer is whole; `ended` says that the provider closed the stream in an orderly way. */
  isComplete(ended: boolean): boolean;
  readonly usage: Usage | null;
  readonly responseId: string | null;
  readonly failed: boolean;
  /** UTF-8 bytes of what was delivered. */
  readonly deliveredBytes: number;
}

/** Deeper than this no text is looked for. */
const MAX_TEXT_DEPTH = 12;

/**
 * UTF-8 bytes of all strings in a value, names of members left out: an upper bound of its tokens. Ids and types count:
 * they stand for the tokens that frame a tool call, which are billed and seen nowhere (Claude: 41 tokens for 24 bytes).
 */
export function textBytes(value: unknown, depth = 0): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value !== 'object' || value === null || depth > MAX_TEXT_DEPTH) return 0;
  let bytes = 0;
  if (Array.isArray(value)) {
    for (const item of value) bytes += textBytes(item, depth + 1);
    return bytes;
  }
  for (const name of Object.keys(value)) bytes += textBytes((value as Json)[name], depth + 1);
  return bytes;
}

/** Whether an event reports a failure: `{"error": {...}}`, or an event of type `error`. */
export function isError(event: Json): boolean {
  const { error } = event;
  return objectIn(error) !== null || (typeof error === 'string' && error !== '') || event['type'] === 'error';
}
