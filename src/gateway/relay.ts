import type { StreamReader } from '../domain/answer.ts';
import { DecodingReader } from '../wire/stream.ts';
import type { Attempt, EndFacts } from './attempt.ts';
import { cutEvent } from './cut-event.ts';

/** The bytes of a provider's answer, in order. */
export interface AnswerBody {
  /** The next bytes, or null at the clean end. Rejects when the connection broke or was aborted. */
  read(): Promise<Uint8Array | null>;
}

/** Thrown into a client's stream so that it ends as a broken connection and never looks complete (I6). */
class BrokenStream extends Error {}

/**
 * Passes a provider's answer on as it arrives, with back-pressure, reading usage on the way.
 * A break upstream becomes a break downstream; when we cut it ourselves, an error event goes first.
 */
export function relay(attempt: Attempt, body: AnswerBody, reader: StreamReader): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(new Relay(attempt, body, reader), { highWaterMark: 0 });
}

class Relay {
  #breakNext = false;

  constructor(
    readonly attempt: Attempt,
    readonly body: AnswerBody,
    readonly reader: StreamReader,
  ) {}

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    if (this.#breakNext) return controller.error(new BrokenStream('cut'));
    try {
      for (;;) {
        const chunk = await this.body.read();
        if (chunk === null) return await this.#finish(controller);
        const out = this.reader.push(chunk);
        if (out !== null) return controller.enqueue(out);
      }
    } catch {
      this.#interrupted(controller);
    }
  }

  cancel(): void {
    this.attempt.stop('client_aborted');
    this.#end(this.attempt.stopReason ?? 'client_aborted');
  }

  async #finish(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const tail = this.reader.flush();
    if (tail !== null) controller.enqueue(tail);
    if (this.reader instanceof DecodingReader) await this.reader.finish();
    this.#end(this.reader.complete ? 'completed' : 'upstream_interrupted');
    controller.close();
  }

  #interrupted(controller: ReadableStreamDefaultController<Uint8Array>): void {
    const reason = this.attempt.stopReason ?? 'upstream_interrupted';
    this.#end(reason);
    // Plain text after compressed bytes would be garbage.
    const isCompressed = this.reader instanceof DecodingReader;
    const event = isCompressed ? null : cutEvent(reason, this.attempt.priced.candidate.route, this.attempt.id);
    if (event === null) return controller.error(new BrokenStream(reason));
    this.#breakNext = true;
    controller.enqueue(event);
  }

  /** When the terminal event has passed, the provider has done and billed the whole: what broke afterwards does not matter. */
  #end(outcome: Parameters<Attempt['end']>[0]): void {
    const { reader } = this;
    const facts: EndFacts = {
      usage: reader.usage,
      responseId: reader.responseId,
      mayHaveBilled: true,
      streamed: true,
      deliveredTokens: reader.deliveredTokenBound,
    };
    const usage = reader.complete || outcome === 'completed' ? facts.usage : null;
    this.attempt.end(reader.complete && usage !== null ? 'completed' : outcome, { ...facts, usage });
  }
}
