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
import { rejectsOurKey } from './provider-key.ts';
import { Refused } from './refused.ts';
import { relay, type AnswerBody } from './relay.ts';
import { restOfAnswer, tailReader } from './rest.ts';
import { brokenBeforeBody } from './upstream-trouble.ts';

/** Answers up to this size are read before they are passed on, so that their cost can stand in a header. */
const HELD_ANSWER_BYTES = 8 * 1024 * 1024;

export function isEventStream(answer: UpstreamAnswer): boolean {
  return answer.headers.get('content-type')?.startsWith('text/event-stream') === true;
}

/** Streams the answer to the client as it arrives. */
export function answerStreamed(attempt: Attempt, answer: UpstreamAnswer, outgoing: Outgoing): Response {
  const headers = answerHeaders(attempt, answer.headers, null);
  const { body, reader, decoded } = streamOf(attempt, answer, outgoing);
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
  const plain = () => makeStreamReader(route, { stripUsage: outgoing.stripsUsage ? 'injected' : 'none', choices: quote.choices });
  if (encoding === '') return { body: answer, reader: plain(), decoded: false };
  // Nothing can be taken out of compressed bytes.
  const decoded = outgoing.stripsUsage ? decodedBody(answer, encoding) : null;
  if (decoded) return { body: decoded, reader: plain(), decoded: true };
  return { body: answer, reader: makeDecodingReader(route, encoding, quote.choices) ?? plain(), decoded: false };
}

/** Reads the answer, settles it, and passes it on with its cost. One that is too large to hold passes as it arrives. */
export async function answerWhole(
  attempt: Attempt,
  answer: UpstreamAnswer,
  outgoing: Outgoing,
): Promise<Response | Refused | FieldRefused> {
  let collected: Collected;
  try {
    collected = await collect(answer, HELD_ANSWER_BYTES);
  } catch {
    attempt.end(attempt.stopReason ?? 'upstream_interrupted', { usage: null, mayHaveBilled: true });
    return brokenBeforeBody(attempt);
  }
  if (!collected.whole) {
    const body = relay(attempt, restOfAnswer(collected.bytes, answer), tailReader(attempt, answer));
    return new Response(body, { status: answer.status, headers: answerHeaders(attempt, answer.headers, null) });
  }
  return finish(attempt, answer, outgoing, collected.bytes);
}

function finish(attempt: Attempt, answer: UpstreamAnswer, outgoing: Outgoing, bytes: Uint8Array): Response | Refused | FieldRefused {
  const readable = decodeForReading(bytes, answer.headers.get('content-encoding'));
  const settlement = settle(attempt, answer.status, readable);
  if (readable !== null && answer.status >= 400) {
    const field = refusedField(outgoing, answer.status, readable);
    if (field !== null) return new FieldRefused(field);
    if (rejectsOurKey(answer.status, readable)) return keyRejected(attempt);
  }
  const headers = answerHeaders(attempt, answer.headers, settlement);
  return new Response(bytes.byteLength === 0 ? null : (bytes as Uint8Array<ArrayBuffer>), { status: answer.status, headers });
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

function keyRejected(attempt: Attempt): Refused {
  const connection = attempt.priced.connection?.name ?? 'simulator';
  return new Refused(
    new Refusal(
      'upstream_auth',
      `The provider did not accept the key of the connection ${connection}. An operator has to replace it: panicly providers update ${connection} --api-key-env NAME`,
    ),
    attempt.id,
  );
}
