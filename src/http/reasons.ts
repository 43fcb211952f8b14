import { REASONS, type Reason } from '../domain/errors.ts';

/** Each reason in one sentence, for the API document. */
export const REASON_MEANINGS: Readonly<Record<Reason, string>> = {
  invalid_json: 'The body is not valid JSON.',
  duplicate_key: 'The body names a member twice, so that two readers could see two requests.',
  invalid_utf8: 'The body is not valid UTF-8, or starts with a byte order mark.',
  too_deep: 'The body is nested past 64 levels.',
  too_many_members: 'The body has more than 100,000 members.',
  missing_model: 'The body names no model.',
  missing_field: 'A required field is missing; `param` names it.',
  invalid_value: 'A field has a value of the wrong kind; `param` names it.',
  invalid_host: 'The Host header is missing or not a host.',
  invalid_framing: 'The transfer encoding is not chunked, or not only that.',
  conflicting_caps: 'The body has two different output caps.',
  background_unsupported: 'Background work is refused: its usage would never pass this server.',
  unknown_field: 'The operator API knows no such field; `param` names it.',
  missing_key: 'No project key was sent.',
  invalid_key: 'The project key is not known.',
  revoked_key: 'The project key was revoked.',
  expired_key: 'The project key has expired.',
  conflicting_keys: 'Two different keys were sent in two headers.',
  included_volume_used: 'The requests that the plan includes this month are used up.',
  credits_exhausted: 'No credits are left after the included requests.',
  network_blocked: 'The address of the sender is not allowed.',
  region_blocked: 'The country of the sender is not allowed.',
  model_blocked: 'The model rules of the project do not allow this model.',
  model_unpriced: 'Nobody knows what this model costs, and money is limited.',
  sentry_mode: 'Sentry Mode, the emergency stop, is on.',
  burst_protection: 'Too many requests in a short time. Try again after `retry-after`.',
  abuse_detection: 'Too much money in a short time.',
  token_guard: 'The request is larger than the token guard allows.',
  loop_guard: 'The same request came again and again.',
  concurrency_limit: 'Too many requests in flight. Try again in a moment.',
  unpriced_feature: 'The request uses something whose cost cannot be bounded, and money is limited.',
  request_budget: 'One request may not cost this much.',
  key_budget: 'The budget of the key has no room.',
  user_budget: 'The budget of the end user has no room.',
  project_budget: 'The budget of the project has no room.',
  workspace_budget: 'The budget of the workspace has no room.',
  forbidden: 'The operator token may not do this.',
  unknown_url: 'There is no such route.',
  unknown_model: 'The project cannot use a model of this name.',
  no_provider: 'No provider connection of the project takes this model.',
  unknown_resource: 'The operator API knows nothing with this id.',
  receive_timeout: 'The body did not arrive in time.',
  conflict: 'Something of this name is already there.',
  request_too_large: 'The body is too large.',
  unsupported_encoding: 'The body is compressed. Send it as it is.',
  unsupported_media_type: 'The body is not declared as JSON.',
  too_many_attempts: 'Too many attempts with wrong credentials from this address.',
  internal_error: 'Something failed inside Panicly. The message has an id for the log.',
  upstream_unreachable: 'The provider could not be reached.',
  upstream_interrupted: 'The provider broke off its answer.',
  upstream_auth: 'The provider did not accept the key that this server holds.',
  upstream_redirect: 'The provider answered with a redirect, which is never followed.',
  upstream_timeout: 'The provider did not answer in time.',
  ledger_unavailable: 'The decision could not be recorded, so nothing was sent.',
  overloaded: 'The server has no room for more work right now.',
  shutting_down: 'The server is about to stop.',
  clock_unconfirmed: 'The clock of the server jumped. An operator has to confirm it.',
};

/** The reasons that only the operator API gives. */
const OPERATOR_ONLY: ReadonlySet<Reason> = new Set(['unknown_field', 'forbidden', 'unknown_resource', 'conflict']);

/** Every reason with this status that an application may see. */
export function reasonsOfStatus(status: number): Reason[] {
  return (Object.keys(REASONS) as Reason[]).filter((reason) => REASONS[reason].status === status && !OPERATOR_ONLY.has(reason));
}

/** The table of reasons as Markdown, for the description of the API. */
export function reasonTable(): string {
  const rows = (Object.keys(REASONS) as Reason[]).map(
    (reason) => `| ${REASONS[reason].status} | ${REASONS[reason].type} | ${reason} | ${REASON_MEANINGS[reason]} |`,
  );
  return ['| status | type | reason | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
