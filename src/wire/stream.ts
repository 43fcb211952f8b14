import type { StreamReader } from '../domain/answer.ts';
import type { Route } from '../domain/candidate.ts';
import { ChatEvents } from './stream/chat.ts';
import { DecodedBody, decoderFor, DecodingReader, type ByteSource } from './stream/decoding.ts';
import { Reader, type LastTemplate } from './stream/reader.ts';
import { ResponsesEvents } from './stream/responses.ts';

export { DecodingReader } from './stream/decoding.ts';

/** How a stream is to be read. */
export interface StreamReaderOptions {
  /** `injected` takes out what an `include_usage` that we put into the request added to the answer. */
  readonly stripUsage: 'none' | 'injected';
  /** How many choices (`n`) were asked for: without `[DONE]` a chat is whole only when so many have finished. Default 1. */
  readonly choices?: number;
}

/** Of each way to read there is one: what one way takes for plain need not be so for another. */
const LAST: Readonly<Record<'responses' | 'chat' | 'chatStripped', LastTemplate>> = {
  responses: { template: null },
  chat: { template: null },
  chatStripped: { template: null },
};

/**
 * A reader for the server-sent events of one answer; its bytes may come in any pieces.
 * With `stripUsage: 'none'` `push` always returns the very array that it got. With `injected` an unfinished last event
 * is held back until its end has come. Call `flush` only after the provider ended the stream in an orderly way:
 * it is what makes a chat without `[DONE]` complete.
 */
export function makeStreamReader(route: Route, options: StreamReaderOptions): StreamReader {
  if (route === 'responses') return new Reader(new ResponsesEvents(), false, LAST.responses);
  const strips = options.stripUsage === 'injected' && route === 'chat';
  return new Reader(new ChatEvents(route, options.choices ?? 1), strips, strips ? LAST.chatStripped : LAST.chat);
}

/**
 * Reads a stream with a `content-encoding` beside the bytes that pass: `push` returns the very chunk that it got.
 * Facts are final when `finish()` has resolved, after `flush`. Nothing can be taken out of compressed bytes:
 * where that is needed, put `decodedBody` before an ordinary reader.
 * Null for an encoding that we do not know, or for more than one. Broken data leaves the stream incomplete.
 */
export function makeDecodingReader(route: Route, contentEncoding: string, choices = 1): DecodingReader | null {
  const decoder = decoderFor(contentEncoding);
  return decoder === null ? null : new DecodingReader(decoder, makeStreamReader(route, { stripUsage: 'none', choices }));
}

/** The body without its `content-encoding`, or null for an encoding that we do not know, or for more than one. */
export function decodedBody(body: ByteSource, contentEncoding: string): ByteSource | null {
  const decoder = decoderFor(contentEncoding);
  return decoder === null ? null : new DecodedBody(decoder, body);
}
