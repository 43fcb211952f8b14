import type { AnswerFacts } from '../domain/answer.ts';
import type { Route } from '../domain/candidate.ts';
import { idOf, readTail } from './answer.ts';

/** How much of the end is kept to look for usage: providers put it last. */
const TAIL_BYTES = 256 * 1024;
/** How much of the beginning is looked at for the id. */
const HEAD_BYTES = 1_024;
/** Longer than any member that says what an output item is, with space around. */
const CALL_BYTES = 128;
/** More calls of hosted tools than any answer has: what comes after them is not counted, so that a list of them stays small. */
const MAX_CALLS = 10_000;

const CALL_END = Buffer.from('_call"');
/** The whole of such a member. A quote behind a backslash is text that only looks like one. */
const CALL = /(?<!\\)"type"\s*:\s*"([a-z0-9_]{1,64}_call)"$/;
const ID = /^\s*\{\s*"id"\s*:\s*"([^"\\]+)"/;

/**
 * What is told by an answer that is too large to hold, read while it passes: the usage at its end, and for `responses` the id that it
 * begins with and the calls of hosted tools among its output items. Every search of the web counts, an opened page too: at its end
 * nobody can tell them apart any more.
 */
export class LargeAnswer {
  #head: Buffer = Buffer.alloc(0);
  #tail: Buffer = Buffer.alloc(0);
  readonly #calls: { readonly type: string }[] = [];

  constructor(readonly route: Route) {}

  /** Takes the next bytes. */
  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (this.route === 'responses') {
      if (this.#head.length < HEAD_BYTES) this.#head = Buffer.concat([this.#head, bytes.subarray(0, HEAD_BYTES - this.#head.length)]);
      const before = this.#tail.subarray(-CALL_BYTES);
      // What ends within the first bytes began before them or there; what ends later is whole in these bytes.
      this.#count(Buffer.concat([before, bytes.subarray(0, CALL_BYTES)]), before.length);
      this.#count(bytes, CALL_BYTES);
    }
    const kept = this.#tail.subarray(Math.max(0, this.#tail.length + bytes.length - TAIL_BYTES));
    this.#tail = bytes.length >= TAIL_BYTES ? Buffer.from(bytes.subarray(-TAIL_BYTES)) : Buffer.concat([kept, bytes]);
  }

  /** What all of it told, once it has ended. */
  facts(): AnswerFacts {
    const id = ID.exec(this.#head.toString('latin1'))?.[1];
    return { usage: readTail(this.route, this.#tail, this.#calls), responseId: idOf({ id }) };
  }

  /** Counts the calls whose last byte is behind the first `seen` bytes. */
  #count(bytes: Buffer, seen: number): void {
    for (let at = bytes.indexOf(CALL_END, Math.max(0, seen - CALL_END.length + 1)); at !== -1; at = bytes.indexOf(CALL_END, at + 1)) {
      const end = at + CALL_END.length;
      const type = CALL.exec(bytes.toString('latin1', Math.max(0, end - CALL_BYTES), end))?.[1];
      if (type !== undefined && this.#calls.length < MAX_CALLS) this.#calls.push({ type });
    }
  }
}
