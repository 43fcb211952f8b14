import type { StreamReader } from '../domain/answer.ts';
import type { Outcome } from '../domain/decision.ts';
import { UpstreamBroken } from '../upstream/upstream.ts';
import { DecodingReader } from '../wire/stream.ts';
import { halfTold } from '../wire/usage/told.ts';
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
 * `streamed` says that the provider makes the answer while it passes: then a break may have stopped its billing.
 */
export function relay(attempt: Attempt, body: AnswerBody, reader: StreamReader, streamed = true): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(new Relay(attempt, body, reader, streamed), { highWaterMark: 0 });
}

/** How long the last bytes get to arrive, in milliseconds: a broken connection takes with it what was not read yet. */
const LAST_BYTES_MS = 100;

/** How long a client that is not reading gets to take its error event, in milliseconds. */
const LAST_EVENT_MS = 1_000;

async function breakOff(controller: ReadableStreamDefaultController<Uint8Array>, afterMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  controller.error(new BrokenStream('broken off'));
}

class Relay {
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #pulling = false;
  /** True once nothing more of the answer will be passed on. */
  #over = false;

  constructor(
    readonly attempt: Attempt,
    readonly body: AnswerBody,
    readonly reader: StreamReader,
    readonly streamed: boolean,
  ) {}

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller;
    this.#waitForClient();
    this.attempt.onStopWhileRelaying(() => this.#stopped());
  }

  /** Without async functions: every chunk comes through here, and each of them costs promises of its own. */
  pull(controller: ReadableStreamDefaultController<Uint8Array>): void | Promise<void> {
    if (this.#over) return breakOff(controller, LAST_BYTES_MS);
    this.#pulling = true;
    this.attempt.handedOverAtTick = null;
    try {
      return this.body.read().then(this.#onChunk, this.#onBroken);
    } catch (error) {
      return this.#onBroken(error);
    }
  }

  cancel(): void {
    this.#over = true;
    this.attempt.stop('client_aborted');
    this.#end(this.attempt.stopReason ?? 'client_aborted');
  }

  readonly #onChunk = (chunk: Uint8Array | null): void | Promise<void> => {
    const controller = this.#controller!;
    try {
      if (chunk === null) return this.#finish(controller);
      const out = this.reader.push(chunk);
      if (out === null) return this.body.read().then(this.#onChunk, this.#onBroken);
      controller.enqueue(out);
    } catch (error) {
      this.#interrupted(controller, error);
    }
    return this.#pulled();
  };

  readonly #onBroken = (error: unknown): void => {
    this.#interrupted(this.#controller!, error);
    this.#pulled();
  };

  #pulled(): void {
    this.#pulling = false;
    this.#waitForClient();
    // A stop that came between the last read and here was seen by nobody.
    if (this.attempt.stopReason !== null) this.#stopped();
  }

  async #finish(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      const tail = this.reader.flush();
      if (tail !== null) controller.enqueue(tail);
      if (this.reader instanceof DecodingReader) await this.reader.finish();
      this.#end(this.reader.complete ? 'completed' : 'upstream_interrupted');
      this.#over = true;
      controller.close();
    } catch (error) {
      this.#interrupted(controller, error);
    }
    this.#pulled();
  }

  #waitForClient(): void {
    this.attempt.handedOverAtTick = this.attempt.context.inFlight.ticks;
  }

  /** A read that waits sees the stop by itself; while the client is the one that is waited for, nobody would. */
  #stopped(): void {
    if (!this.#pulling && !this.#over && this.#controller !== null) this.#interrupted(this.#controller, null);
  }

  #interrupted(controller: ReadableStreamDefaultController<Uint8Array>, error: unknown): void {
    this.attempt.hangUp();
    const timedOut = error instanceof UpstreamBroken && error.kind === 'timeout';
    const reason = this.attempt.stopReason ?? (timedOut ? 'upstream_timeout' : 'upstream_interrupted');
    this.#end(reason);
    if (this.#over) return;
    this.#over = true;
    // An event after compressed bytes, or inside of a JSON document, would be garbage.
    const takesEvents = this.streamed && !(this.reader instanceof DecodingReader);
    const event = takesEvents ? cutEvent(reason, this.attempt.priced.candidate.route, this.attempt.id) : null;
    if (event !== null) controller.enqueue(event);
    void breakOff(controller, event === null ? LAST_BYTES_MS : LAST_EVENT_MS);
  }

  /** When the terminal event has passed, the provider has done and billed the whole: what broke afterwards does not matter. */
  #end(outcome: Outcome): void {
    const { reader, attempt } = this;
    const facts: EndFacts = {
      usage: reader.usage,
      responseId: reader.responseId,
      mayHaveBilled: true,
      streamed: this.streamed,
      deliveredTokens: reader.deliveredTokenBound,
    };
    const isWhole = reader.complete || outcome === 'completed';
    // What was told before a break was billed, and perhaps more.
    const usage = isWhole || facts.usage === null ? facts.usage : halfTold(facts.usage);
    const isError = attempt.upstreamStatus >= 300 && (outcome === 'completed' || outcome === 'upstream_interrupted');
    const named = reader.complete && usage !== null ? 'completed' : outcome;
    attempt.end(isError ? 'upstream_error' : named, { ...facts, usage });
  }
}
