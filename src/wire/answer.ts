import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import type { AnswerFacts } from '../domain/answer.ts';
import type { Route } from '../domain/candidate.ts';
import type { Usage } from '../domain/usage.ts';
import { scanObject, skipSpace } from './json/scan.ts';
import { readUsage } from './usage.ts';
import { objectIn } from './usage/figures.ts';

/** The most bytes that a compressed answer may grow to before we give up reading it: 64 MB. */
export const MAX_DECODED_BYTES = 64 * 1024 * 1024;

/** A longer id than this is no id. */
const MAX_ID_LENGTH = 256;

/** An answer of this size is parsed as a whole in the time that a search takes. */
const SMALL_BYTES = 4_096;

const decoder = new TextDecoder();
const USAGE_KEY = Buffer.from('"usage"');
const ESCAPED_LETTER = Buffer.from('\\u00');

/** Reads a whole answer that was not streamed. Bytes that are no JSON object say nothing. */
export function readAnswer(route: Route, bytes: Uint8Array): AnswerFacts {
  // A response needs its id and its output items; the others only their usage, which mostly stands at the end.
  if (route !== 'responses' && bytes.length > SMALL_BYTES) {
    const usage = readUsage(route, usageAtEnd(bytes));
    if (usage !== null) return { usage, responseId: null };
  }
  const answer = objectIn(parsed(bytes));
  if (answer === null) return { usage: readUsage(route, usageAtEnd(bytes)), responseId: null };
  return { usage: readUsage(route, answer), responseId: route === 'responses' ? idOf(answer) : null };
}

/** The usage at the end of an answer whose beginning is gone, with the calls of tools that were seen in it. */
export function readTail(route: Route, end: Uint8Array, calls: readonly { readonly type: string }[]): Usage | null {
  const tail = objectIn(usageAtEnd(end));
  return tail === null ? null : readUsage(route, { ...tail, output: calls });
}

/** The id under which a provider keeps a response, or null. */
export function idOf(response: Readonly<Record<string, unknown>>): string | null {
  const id = response['id'];
  return typeof id === 'string' && id.length > 0 && id.length <= MAX_ID_LENGTH ? id : null;
}

/**
 * `{usage}` made from the last outermost `usage` member alone, or null when only the whole can tell.
 * Safe because a key's quote that has no backslash before it begins a string of its own in valid JSON, and because
 * what follows the value is walked to the end: were the member deeper down, more than one brace would be left to close.
 */
function usageAtEnd(bytes: Uint8Array): unknown {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const key = view.lastIndexOf(USAGE_KEY);
  if (key < 1 || bytes[key - 1] === 0x5c) return null;
  const colon = skipSpace(bytes, key + USAGE_KEY.length);
  const start = skipSpace(bytes, colon + 1);
  if (bytes[colon] !== 0x3a || bytes[start] !== 0x7b) return null;
  const { outcome, end } = scanObject(bytes, start);
  if (outcome !== 'whole' || !closesOutermost(bytes, end)) return null;
  // An escape may hide another member of this name, which would be the one that counts.
  if (view.indexOf(ESCAPED_LETTER, end) >= 0) return null;
  return { usage: parsed(bytes.subarray(start, end)) };
}

/** Whether exactly one brace is left to close after a member that ends at `end`. */
function closesOutermost(bytes: Uint8Array, end: number): boolean {
  // The rest of the object, read as an object of its own: what is left must be the members after this one, and the end.
  const rest = skipSpace(bytes, end);
  if (bytes[rest] === 0x7d) return skipSpace(bytes, rest + 1) === bytes.length;
  if (bytes[rest] !== 0x2c) return false;
  const { outcome, end: close } = scanObject(bytes, rest, 1);
  return outcome === 'whole' && bytes[close - 1] === 0x7d && skipSpace(bytes, close) === bytes.length;
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes)) as unknown;
  } catch {
    return null;
  }
}

/**
 * The bytes of an answer without their `content-encoding`, for reading only: the client gets what the provider sent.
 * Null for an encoding that we do not know, for several, for broken data, or more than `MAX_DECODED_BYTES`.
 */
export function decodeForReading(bytes: Uint8Array, contentEncoding: string | null): Uint8Array | null {
  const names = encodingsOf(contentEncoding);
  if (names.length === 0) return bytes;
  const decode = DECODERS[names[0]!];
  // No provider encodes twice; layers multiply what a small body can cost to unpack.
  if (names.length > 1 || decode === undefined) return null;
  try {
    return decode(bytes);
  } catch {
    return null;
  }
}

/** The names in a `content-encoding` header in the order in which they were applied, without `identity`. */
export function encodingsOf(contentEncoding: string | null): readonly string[] {
  if (contentEncoding === null) return [];
  const names = contentEncoding.split(',').map((name) => name.trim().toLowerCase());
  return names.filter((name) => name !== '' && name !== 'identity');
}

const LIMIT = { maxOutputLength: MAX_DECODED_BYTES };

const DECODERS: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  gzip: (bytes) => gunzipSync(bytes, LIMIT),
  'x-gzip': (bytes) => gunzipSync(bytes, LIMIT),
  br: (bytes) => brotliDecompressSync(bytes, LIMIT),
  zstd: (bytes) => zstdDecompressSync(bytes, LIMIT),
  deflate: inflated,
};

/** `deflate` is a zlib stream by the standard, but some servers send it bare. */
function inflated(bytes: Uint8Array): Uint8Array {
  const isZlib = (bytes[0]! & 0x0f) === 8 && ((bytes[0]! << 8) | bytes[1]!) % 31 === 0;
  return isZlib ? inflateSync(bytes, LIMIT) : inflateRawSync(bytes, LIMIT);
}
