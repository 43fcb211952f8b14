import { Refusal } from '../domain/errors.ts';
import { UpstreamBroken, type FailureKind, type UpstreamFailure } from '../upstream/upstream.ts';
import { NOTHING_SENT, type Attempt } from './attempt.ts';
import { Refused } from './refused.ts';

const SENTENCES: Record<
  Exclude<FailureKind, 'aborted'>,
  { reason: 'upstream_unreachable' | 'upstream_interrupted' | 'upstream_timeout' | 'upstream_redirect'; message: string }
> = {
  unreachable: { reason: 'upstream_unreachable', message: 'The provider cannot be reached.' },
  reset: { reason: 'upstream_interrupted', message: 'The provider closed the connection before it answered.' },
  malformed: { reason: 'upstream_interrupted', message: 'The provider sent something that is not HTTP.' },
  timeout: { reason: 'upstream_timeout', message: 'The provider did not begin to answer in time (upstream.first_byte_seconds).' },
  redirect: {
    reason: 'upstream_redirect',
    message: 'The provider answered with a redirect, which is never followed. Check the base URL of the connection.',
  },
};

/** Settles an attempt that got no answer, and says what the client is told. */
export function withoutAnswer(attempt: Attempt, failure: UpstreamFailure): Refused {
  const facts = failure.mayHaveBilled ? { usage: null, mayHaveBilled: true, streamed: attempt.priced.facts.stream } : NOTHING_SENT;
  if (failure.kind === 'aborted') {
    attempt.end(attempt.stopReason ?? 'client_aborted', facts);
    return stopped(attempt);
  }
  attempt.end(outcomeOf(failure), facts);
  const { reason, message } = SENTENCES[failure.kind];
  return new Refused(new Refusal(reason, `${message} (${failure.code})`), attempt.id);
}

/** Settles an attempt whose answer has a status that HTTP does not know. */
export function noAnswerOfHttp(attempt: Attempt): Refused {
  attempt.hangUp();
  attempt.end('upstream_interrupted', { usage: null, mayHaveBilled: true });
  return new Refused(new Refusal('upstream_interrupted', SENTENCES.malformed.message), attempt.id);
}

/** Settles an attempt whose answer broke before anything of it was sent to the client, and says what the client is told. */
export function brokenBeforeBody(attempt: Attempt, error: unknown): Refused {
  attempt.hangUp();
  const timedOut = error instanceof UpstreamBroken && error.kind === 'timeout';
  const outcome = attempt.stopReason ?? (timedOut ? 'upstream_timeout' : 'upstream_interrupted');
  attempt.end(outcome, { usage: null, mayHaveBilled: true });
  if (attempt.stopReason !== null) return stopped(attempt);
  if (timedOut)
    return new Refused(new Refusal('upstream_timeout', 'The provider was silent for too long (upstream.idle_seconds).'), attempt.id);
  return new Refused(new Refusal('upstream_interrupted', 'The provider broke off its answer.'), attempt.id);
}

function stopped(attempt: Attempt): Refused {
  switch (attempt.stopReason) {
    case 'cut_sentry':
      return new Refused(new Refusal('sentry_mode', 'Sentry Mode was switched on while the request was in flight.'), attempt.id);
    case 'cut_revoked':
      return new Refused(new Refusal('revoked_key', 'The project key was revoked while the request was in flight.'), attempt.id);
    case 'cut_shutdown':
      return new Refused(new Refusal('shutting_down', 'Panicly is stopping.'), attempt.id);
    default:
      return new Refused(new Refusal('upstream_interrupted', 'The client closed the connection.'), attempt.id);
  }
}

function outcomeOf(failure: UpstreamFailure): 'not_sent' | 'upstream_timeout' | 'upstream_error' | 'upstream_interrupted' {
  if (failure.kind === 'unreachable') return 'not_sent';
  if (failure.kind === 'timeout') return 'upstream_timeout';
  return failure.kind === 'redirect' ? 'upstream_error' : 'upstream_interrupted';
}
