import type { StreamReader } from '../domain/answer.ts';
import type { Usage } from '../domain/usage.ts';
import { encodingsOf, readAnswer } from '../wire/answer.ts';
import type { AnswerBody } from './relay.ts';
import type { Attempt } from './attempt.ts';
import type { UpstreamAnswer } from '../upstream/upstream.ts';

/** How much of the end of a large answer is kept to look for its usage: providers put it last. */
const TAIL_BYTES = 256 * 1024;

/** A body whose beginning was already read: gives that first, then the rest as it arrives. */
export function restOfAnswer(beginning: Uint8Array, body: AnswerBody): AnswerBody {
  let first: Uint8Array | null = beginning;
  return {
    read() {
      if (first === null) return body.read();
      const chunk = first;
      first = null;
      return Promise.resolve(chunk);
    },
  };
}

/** A reader for an answer that is too large to hold. */
export function tailReader(attempt: Attempt, answer: UpstreamAnswer): StreamReader {
  return new TailReader(attempt, answer);
}

/** Passes everything on and looks for usage in the last bytes, once the answer has ended. */
class TailReader implements StreamReader {
  complete = false;
  usage: Usage | null = null;
  deliveredTokenBound = 0;
  readonly responseId = null;
  readonly failed = false;
  #tail: Uint8Array = new Uint8Array(0);

  constructor(
    readonly attempt: Attempt,
    readonly answer: UpstreamAnswer,
  ) {}

  push(chunk: Uint8Array): Uint8Array {
    this.deliveredTokenBound += chunk.byteLength;
    this.#tail = chunk.byteLength >= TAIL_BYTES ? chunk.slice(-TAIL_BYTES) : joinedTail(this.#tail, chunk);
    return chunk;
  }

  flush(): null {
    this.complete = true;
    if (encodingsOf(this.answer.headers.get('content-encoding')).length === 0)
      this.usage = readAnswer(this.attempt.priced.candidate.route, this.#tail).usage;
    return null;
  }
}

function joinedTail(tail: Uint8Array, chunk: Uint8Array): Uint8Array {
  const kept = tail.subarray(Math.max(0, tail.byteLength + chunk.byteLength - TAIL_BYTES));
  const joined = new Uint8Array(kept.byteLength + chunk.byteLength);
  joined.set(kept);
  joined.set(chunk, kept.byteLength);
  return joined;
}
