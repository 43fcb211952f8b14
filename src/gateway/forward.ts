import { Refusal } from '../domain/errors.ts';
import { requestHeaders } from '../upstream/headers.ts';
import { SIMULATOR_BASE_URL, upstreamUrl } from '../upstream/providers.ts';
import { VERSION } from '../version.ts';
import type { JsonBody } from '../wire/json.ts';
import { answerStreamed, answerWhole, isEventStream } from './answer.ts';
import { NOTHING_SENT, type Attempt } from './attempt.ts';
import type { Gateway } from './gateway.ts';
import { outgoingBody, type FieldRefused, type Outgoing } from './outgoing.ts';
import type { Caller } from './authenticate.ts';
import type { Call } from './call.ts';
import { Refused } from './refused.ts';
import { noAnswerOfHttp, withoutAnswer } from './upstream-trouble.ts';

const JSON_BODY = { 'content-type': 'application/json' };
const USER_AGENT = `panicly/${VERSION}`;

/**
 * Sends the attempt to its provider and answers the client. The decision is durable by now (I1).
 * The body is not kept after it was sent: a long stream must not hold it.
 */
export async function forward(
  gateway: Gateway,
  attempt: Attempt,
  caller: Caller,
  call: Call,
  body: JsonBody,
): Promise<Response | Refused | FieldRefused> {
  const outgoing = outgoingBody(attempt, body, caller.entry.policy.pricing);
  if (outgoing instanceof Refusal) return notSent(attempt, outgoing);
  const secret = secretOf(attempt);
  if (secret instanceof Refusal) return notSent(attempt, secret);
  const { signal } = call.request;
  signal.addEventListener('abort', () => attempt.stop('client_aborted'));
  if (signal.aborted) attempt.stop('client_aborted');
  const answer = await send(
    gateway,
    attempt,
    outgoing,
    requestHeaders(call.request.headers, { secret, userAgent: USER_AGENT, extra: JSON_BODY, trace: call.mark?.traceHeaders() ?? null }),
  );
  if (answer.kind !== 'answer') return withoutAnswer(attempt, answer);
  attempt.gotHeaders(answer.status);
  if (!isFinalStatus(answer.status)) return noAnswerOfHttp(attempt);
  return isEventStream(answer) ? answerStreamed(attempt, answer, outgoing) : answerWhole(attempt, answer, outgoing);
}

/** The key of the connection, null where none is needed, or why it cannot be had. */
function secretOf(attempt: Attempt): string | null | Refusal {
  const { connection } = attempt.priced;
  try {
    return connection === null ? null : connection.credential.reveal();
  } catch {
    return new Refusal(
      'upstream_auth',
      `The key of the connection ${connection?.name} cannot be opened: was the master key changed? Set it again with: panicly providers update ${connection?.publicId} --api-key-env NAME`,
    );
  }
}

function notSent(attempt: Attempt, refusal: Refusal): Refused {
  attempt.end('not_sent', NOTHING_SENT);
  return new Refused(refusal, attempt.id);
}

/** What a response of ours can carry; a provider may write any number. */
function isFinalStatus(status: number): boolean {
  return status >= 200 && status <= 599;
}

function send(
  gateway: Gateway,
  attempt: Attempt,
  outgoing: Outgoing,
  headers: Record<string, string>,
): ReturnType<Gateway['providers']['send']> {
  const { connection, candidate } = attempt.priced;
  const upstream = connection === null ? gateway.simulator : gateway.providers;
  attempt.wasSent = true;
  attempt.sentMs = gateway.monotonicMs();
  return upstream.send({
    url: upstreamUrl(connection ?? { baseUrl: SIMULATOR_BASE_URL }, candidate.route),
    method: 'POST',
    headers,
    body: outgoing.body,
    moreBody: outgoing.moreBody,
    signal: null,
    owner: attempt,
    firstByteMs: attempt.limits.firstByteMs,
    idleMs: attempt.limits.idleMs,
  });
}
