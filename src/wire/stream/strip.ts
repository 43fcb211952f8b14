import { cutOf, isNamed, spansOf } from '../json/members.ts';
import { scanObject, skipSpace } from '../json/scan.ts';
import { objectIn, type Json } from '../usage/figures.ts';

/** Bytes that are taken out, from the first position up to the second, ascending. */
export type Cuts = number[];

/** Where an event and its one data line stand. */
export interface EventPlace {
  readonly start: number;
  readonly end: number;
  readonly dataStart: number;
}

/**
 * Notes what an `include_usage` that we put in added to this event: all of it when it is the usage chunk without choices,
 * else its `"usage":null`. A usage in a chunk with choices stays: providers that send it there do so unasked.
 */
export function cutInjectedUsage(cuts: Cuts, bytes: Uint8Array, place: EventPlace, event: Json): void {
  const { choices, usage } = event;
  if (usage === undefined) return;
  if (isUsageChunk(event)) cuts.push(place.start, place.end);
  else if (usage === null && !sendsNullUnasked(choices)) cutMember(cuts, bytes, place.dataStart);
}

/** Whether an event is the one that only tells usage. */
export function isUsageChunk({ choices, usage }: Json): boolean {
  return objectIn(usage) !== null && Array.isArray(choices) && choices.length === 0;
}

/**
 * Together's servers (also behind routers) send `"usage":null` in every chunk of every stream, asked or not. Their mark, in all
 * traffic that was recorded in public: a choice of a chat chunk has a `text` beside its `delta`.
 */
function sendsNullUnasked(choices: unknown): boolean {
  const choice = Array.isArray(choices) ? objectIn(choices[0]) : null;
  return choice !== null && choice['text'] !== undefined && choice['delta'] !== undefined;
}

function cutMember(cuts: Cuts, bytes: Uint8Array, dataStart: number): void {
  const spans = spansOf(bytes, scanObject(bytes, skipSpace(bytes, dataStart)).marks);
  const index = spans.findLastIndex((span) => isNamed(bytes, span.keyStart, span.keyEnd, 'usage'));
  if (index < 0) return;
  const { from, to } = cutOf(spans, index);
  cuts.push(from, to);
}

/** Shorter pieces are moved by hand: a native call costs about as much. */
const NEAR_BYTES = 64;

/** A copy of the first `length` bytes without the cuts, or null when nothing is left. */
export function withoutCuts(bytes: Uint8Array, length: number, cuts: Cuts): Uint8Array | null {
  let left = length;
  for (let index = 0; index < cuts.length; index += 2) left -= cuts[index + 1]! - cuts[index]!;
  if (left === 0) return null;
  // A Buffer's own `slice` would be a view of the same bytes.
  const out = Uint8Array.prototype.slice.call(bytes, 0, left);
  let written = cuts[0] ?? left;
  for (let index = 1; index < cuts.length; index += 2) {
    const from = cuts[index]!;
    const to = index + 1 < cuts.length ? cuts[index + 1]! : length;
    put(out, written, bytes, from, to);
    written += to - from;
  }
  return out;
}

function put(out: Uint8Array, at: number, bytes: Uint8Array, from: number, to: number): void {
  if (to - from > NEAR_BYTES) out.set(bytes.subarray(from, to), at);
  else for (let next = from; next < to; next++) out[at++] = bytes[next]!;
}
