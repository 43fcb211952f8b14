import type { Usage } from './usage.ts';

/** What reading a provider's whole answer tells. */
export interface AnswerFacts {
  readonly usage: Usage | null;
  /** The id of a response that the provider keeps (`resp_...`), or null. */
  readonly responseId: string | null;
}

/** Reads a streamed answer as it passes. One for each stream. */
export interface StreamReader {
  /**
   * Takes a chunk as it came and returns what to pass on: the same array when nothing has to be taken out,
   * another one, or null when all of it is held back for now.
   */
  push(chunk: Uint8Array): Uint8Array | null;
  /** After the last chunk: what was still held back, or null. */
  flush(): Uint8Array | null;
  /** True once the protocol's terminal event has passed: `[DONE]`, `response.completed`, all finish reasons ... */
  readonly complete: boolean;
  /** The last usage that was seen. Chunks may repeat it, cumulatively. */
  readonly usage: Usage | null;
  /** The most tokens that the delivered text can be: its UTF-8 bytes. */
  readonly deliveredTokenBound: number;
  readonly responseId: string | null;
  /** True when the provider sent an error event in the stream. */
  readonly failed: boolean;
}
