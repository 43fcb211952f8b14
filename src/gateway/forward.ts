import { requestHeaders } from '../upstream/headers.ts';
import { upstreamUrl } from '../upstream/providers.ts';
import { VERSION } from '../version.ts';
import { answerStreamed, answerWhole, isEventStream } from './answer.ts';
import type { Attempt } from './attempt.ts';
import type { Gateway } from './gateway.ts';
import { outgoingBody, type FieldRefused, type Outgoing } from './outgoing.ts';
import type { Caller } from './authenticate.ts';
import { Refused } from './refused.ts';
import { withoutAnswer } from './upstream-trouble.ts';

const USER_AGENT = `panicly/${VERSION}`;

/** Sends the attempt to its provider and answers the client. The decision is durable by now (I1). */
export async function forward(
  gateway: Gateway,
  attempt: Attempt,
  caller: Caller,
  request: Request,
): Promise<Response | Refused | FieldRefused> {
  const outgoing = outgoingBody(attempt, caller.entry.policy.pricing);
  const abort = new AbortController();
  attempt.onStop(() => abort.abort());
  request.signal.addEventListener('abort', () => attempt.stop('client_aborted'), { once: true });
  if (request.signal.aborted) attempt.stop('client_aborted');
  const answer = await send(gateway, attempt, outgoing, request.headers, abort.signal);
  if (answer.kind !== 'answer') return withoutAnswer(attempt, answer);
  attempt.gotHeaders(answer.status);
  return isEventStream(answer) ? answerStreamed(attempt, answer, outgoing) : answerWhole(attempt, answer, outgoing);
}

function send(
  gateway: Gateway,
  attempt: Attempt,
  outgoing: Outgoing,
  client: Headers,
  signal: AbortSignal,
): ReturnType<Gateway['providers']['send']> {
  const { connection, candidate } = attempt.priced;
  const upstream = connection === null ? gateway.simulator : gateway.providers;
  const secret = connection === null ? null : connection.credential.reveal();
  return upstream.send({
    url: upstreamUrl(connection ?? SIMULATOR, candidate.route),
    method: 'POST',
    // After the client's own: what we judged as JSON must be read as JSON.
    headers: { ...requestHeaders(client, { secret, userAgent: USER_AGENT }), 'content-type': 'application/json' },
    body: outgoing.bytes,
    signal,
    firstByteMs: gateway.limits.firstByteMs,
    idleMs: gateway.limits.idleMs,
  });
}

/** The simulator has no address; its paths are the providers' own. */
const SIMULATOR = { baseUrl: 'simulator:' };
