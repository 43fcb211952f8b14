import type { Outcome } from '../domain/decision.ts';
import type { Route } from '../domain/candidate.ts';
import type { Reason } from '../domain/errors.ts';
import { REASONS } from '../domain/errors.ts';

/** What a client is told inside a stream that we end, before the connection breaks. */
const CUTS: Partial<Record<Outcome, { reason: Reason; message: string }>> = {
  cut_sentry: { reason: 'sentry_mode', message: 'Sentry Mode was switched on: this answer was cut.' },
  cut_revoked: { reason: 'revoked_key', message: 'The project key was revoked: this answer was cut.' },
  cut_shutdown: { reason: 'shutting_down', message: 'Panicly is stopping: this answer was cut.' },
  upstream_timeout: { reason: 'upstream_timeout', message: 'The provider sent nothing for too long: this answer was cut.' },
};

const encoder = new TextEncoder();

/** The server-sent error event for a stream that we end ourselves, or null when the end is not ours. */
export function cutEvent(outcome: Outcome, route: Route, decisionId: string): Uint8Array | null {
  const cut = CUTS[outcome];
  if (!cut) return null;
  const error = {
    type: REASONS[cut.reason].type,
    reason: cut.reason,
    code: cut.reason,
    param: null,
    message: cut.message,
    decision_id: decisionId,
  };
  const data = route === 'responses' ? { ...error, type: 'error', error } : { error };
  // The first line ends whatever event was half sent.
  return encoder.encode(`\n\n${route === 'responses' ? 'event: error\n' : ''}data: ${JSON.stringify(data)}\n\n`);
}
