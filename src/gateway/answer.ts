import { Refusal } from '../domain/errors.ts';
import type { StreamReader } from '../domain/answer.ts';
import type { Settlement } from '../domain/decision.ts';
import type { UpstreamAnswer } from '../upstream/upstream.ts';
import { decodeForReading, encodingsOf, readAnswer } from '../wire/answer.ts';
import { decodedBody, makeDecodingReader, makeStreamReader } from '../wire/stream.ts';
import { answerHeaders } from './answer-headers.ts';
import type { Attempt } from './attempt.ts';
import { collect, type Collected } from './collect.ts';
import { FieldRefused, refusedField, type Outgoing } from './outgoing.ts';
import { holdsOurKey, rejectsOurKey } from './provider-key.ts';
import { Refused } from './refused.ts';
import { relay, type AnswerBody } from './relay.ts';
import { restOfAnswer, tailReader } from './rest.ts';
import { Turn } from './turn.ts';
import { brokenBeforeBody } from './upstream-trouble.ts';

/** Answers up to this size are read before they are passed on, so that their cost can stand in a header. */
const HELD_ANSWER_BYTES = 8 * 1024 * 1024;

/** From this size on an answer leaves as the one chunk of a stream, in chunked encoding. */
const LARGE_ANSWER_BYTES = 128 * 1024;

/** Where answers that are whole wait for each other. */
const arrivals = new Turn();

/** Whether the answer is passed on as it comes. An error never is: it may be about our key, whatever it calls itself. */
export function isEventStream(answer: UpstreamAnswer): boolean {
  const hasBody = answer.status !== 204 && answer.status !== 205;
  return answer.status < 300 && hasBody && answer.headers.get('content-type')?.toLowerCase().startsWith('text/event-stream') === true;
}

/** Streams the answer to the client as it arrives. */
export function answerStreamed(attempt: Attempt, answer: UpstreamAnswer, outgoing: Outgoing): Response {
  const { body, reader, decoded } = streamOf(attempt, answer, outgoing);
  const headers = answerHeaders(attempt, answer.headers, null);
  if (decoded) headers.delete('content-encoding');
  return new Response(relay(attempt, body, reader), { status: answer.status, headers });
}

interface Stream {
  readonly body: AnswerBody;
  readonly reader: StreamReader;
  /** True when the client gets the bytes without their content-encoding. */
  readonly decoded: boolean;
}

function streamOf(attempt: Attempt, answer: UpstreamAnswer, outgoing: Outgoing): Stream {
  const { route, quote } = attempt.priced.candidate;
  const encoding = encodingsOf(answer.headers.get('content-encoding')).join(',');
  const plain = (strips: boolean) => makeStreamReader(route, { stripUsage: strips ? 'injected' : 'none', choices: quote.choices });
  if (encoding === '') return { body: answer, reader: plain(outgoing.stripsUsage), decoded: false };
  // Nothing can be taken out of compressed bytes.
  const decoded = outgoing.stripsUsage ? decodedBody(answer, encoding) : null;
  if (decoded) return { body: decoded, reader: plain(true), decoded: true };
  return { body: answer, reader: makeDecodingReader(route, encoding, quote.choices) ?? plain(false), decoded: false };
}

/** Reads the answer, settles it, and passes it on with its cost. One that is too large to hold passes as it arrives. */
export async function answerWhole(
  attempt: Attempt,
  answer: UpstreamAnswer,
  outgoing: Outgoing,
): Promise<Response | Refused | FieldRefused> {
  let collected: Collected;
  try {
    const whole = answer.whole?.() ?? null;
    collected = whole === null ? await collect(answer, HELD_ANSWER_BYTES) : { bytes: await whole, whole: true };
  } catch (error) {
    return brokenBeforeBody(attempt, error);
  }
  if (!collected.whole) {
    if (answer.status >= 400) return tooLargeError(attempt);
    const body = relay(attempt, restOfAnswer(collected.bytes, answer), tailReader(attempt, answer), false);
    return new Response(body, { status: answer.status, headers: answerHeaders(attempt, answer.headers, null) });
  }
  // What comes now is ours and not the provider's.
  attempt.answeredMs = attempt.context.monotonicMs();
  await arrivals.end();
  return finish(attempt, answer, outgoing, collected.bytes);
}

function finish(attempt: Attempt, answer: UpstreamAnswer, outgoing: Outgoing, bytes: Uint8Array): Response | Refused | FieldRefused {
  const readable = decodeForReading(bytes, answer.headers.get('content-encoding'));
  const settlement = settle(attempt, answer.status, readable);
  if (answer.status >= 400) {
    const field = readable === null ? null : refusedField(outgoing, answer.status, readable);
    if (field !== null) return new FieldRefused(field);
    if (rejectsOurKey(answer.status, readable)) return keyRejected(attempt);
  }
  if (holdsOurKey(attempt, readable ?? bytes)) return keyEchoed(attempt);
  const headers = answerHeaders(attempt, answer.headers, settlement);
  const isEmpty = bytes.byteLength === 0 || answer.status === 204 || answer.status === 205;
  return new Response(isEmpty ? null : bodyOf(bytes as Uint8Array<ArrayBuffer>), { status: answer.status, headers });
}

/** `Response` copies bytes and sends the copy; the one chunk of a stream is sent as it is: a third less for 1 MB, more for little. */
function bodyOf(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> {
  if (bytes.byteLength < LARGE_ANSWER_BYTES) return bytes;
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}

function settle(attempt: Attempt, status: number, readable: Uint8Array | null): Settlement {
  const facts = readable === null ? null : readAnswer(attempt.priced.candidate.route, readable);
  const succeeded = status >= 200 && status < 300;
  return attempt.end(succeeded ? 'completed' : 'upstream_error', {
    usage: facts?.usage ?? null,
    responseId: facts?.responseId ?? null,
    mayHaveBilled: true,
  });
}

function keyEchoed(attempt: Attempt): Refused {
  return new Refused(
    new Refusal(
      'upstream_auth',
      "The provider's answer holds the key of its connection, so it is not passed on. Check the connection's base URL.",
    ),
    attempt.id,
  );
}

/** An error of more than 8 MB: nobody needs to read it, and it is too much to look through. */
function tooLargeError(attempt: Attempt): Refused {
  attempt.hangUp();
  attempt.end('upstream_error', { usage: null, mayHaveBilled: true });
  if (rejectsOurKey(attempt.upstreamStatus, null)) return keyRejected(attempt);
  const message = `The provider answered ${attempt.upstreamStatus} with more than ${HELD_ANSWER_BYTES} bytes, which are not passed on.`;
  return new Refused(new Refusal('upstream_interrupted', message), attempt.id);
}

function keyRejected(attempt: Attempt): Refused {
  const { connection } = attempt.priced;
  const name = connection?.name ?? 'simulator';
  return new Refused(
    new Refusal(
      'upstream_auth',
      `The provider did not accept the key of the connection ${name}. An operator has to replace it: panicly providers update ${connection?.publicId ?? name} --api-key-env NAME`,
    ),
    attempt.id,
  );
}
