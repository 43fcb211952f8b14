import type { StreamReader } from '../domain/answer.ts';
import type { Usage } from '../domain/usage.ts';
import { encodingsOf } from '../wire/answer.ts';
import { LargeAnswer } from '../wire/large-answer.ts';
import type { AnswerBody } from './relay.ts';
import type { Attempt } from './attempt.ts';
import type { UpstreamAnswer } from '../upstream/upstream.ts';

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

/** Passes everything on and looks for what it tells, which is known once the answer has ended. */
class TailReader implements StreamReader {
  complete = false;
  usage: Usage | null = null;
  responseId: string | null = null;
  deliveredTokenBound = 0;
  readonly failed = false;
  /** Null when it is encoded: then only the whole of it could be read. */
  readonly #answer: LargeAnswer | null;

  constructor(attempt: Attempt, { headers }: UpstreamAnswer) {
    const isEncoded = encodingsOf(headers.get('content-encoding')).length > 0;
    this.#answer = isEncoded ? null : new LargeAnswer(attempt.priced.candidate.route);
  }

  push(chunk: Uint8Array): Uint8Array {
    this.deliveredTokenBound += chunk.byteLength;
    this.#answer?.push(chunk);
    return chunk;
  }

  flush(): null {
    this.complete = true;
    const facts = this.#answer?.facts();
    this.usage = facts?.usage ?? null;
    this.responseId = facts?.responseId ?? null;
    return null;
  }
}
