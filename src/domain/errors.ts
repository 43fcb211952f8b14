/**
 * The closed list of refusals: one table from reason to status and type.
 * A refusal is a value that travels; only failures are exceptions.
 */

/** The kinds of error that clients see in `error.type`. */
export type ErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'capacity_exhausted'
  | 'policy_blocked'
  | 'not_found'
  | 'upstream_error'
  | 'unavailable'
  | 'internal_error';

interface ReasonFacts {
  readonly status: number;
  readonly type: ErrorType;
  /** True when the same request may pass a little later without a person acting. */
  readonly retryable: boolean;
}

const invalid = { status: 400, type: 'invalid_request_error', retryable: false } as const;
const unauthenticated = { status: 401, type: 'authentication_error', retryable: false } as const;
const exhausted = { status: 402, type: 'capacity_exhausted', retryable: false } as const;
const blocked = { status: 403, type: 'policy_blocked', retryable: false } as const;
const missing = { status: 404, type: 'not_found', retryable: false } as const;
const unavailable = { status: 503, type: 'unavailable', retryable: true } as const;

/** Every reason, its HTTP status, its error type, and whether a retry can help. */
export const REASONS = {
  invalid_json: invalid,
  duplicate_key: invalid,
  invalid_utf8: invalid,
  too_deep: invalid,
  too_many_members: invalid,
  missing_model: invalid,
  missing_field: invalid,
  invalid_value: invalid,
  invalid_host: invalid,
  invalid_framing: invalid,
  conflicting_caps: invalid,
  background_unsupported: invalid,
  unknown_field: invalid,
  missing_key: unauthenticated,
  invalid_key: unauthenticated,
  revoked_key: unauthenticated,
  expired_key: unauthenticated,
  conflicting_keys: unauthenticated,
  included_volume_used: exhausted,
  credits_exhausted: exhausted,
  network_blocked: blocked,
  region_blocked: blocked,
  model_blocked: blocked,
  model_unpriced: blocked,
  sentry_mode: blocked,
  burst_protection: { ...blocked, retryable: true },
  abuse_detection: blocked,
  token_guard: blocked,
  loop_guard: blocked,
  concurrency_limit: { ...blocked, retryable: true },
  unpriced_feature: blocked,
  request_budget: blocked,
  key_budget: blocked,
  user_budget: blocked,
  project_budget: blocked,
  workspace_budget: blocked,
  forbidden: { status: 403, type: 'policy_blocked', retryable: false },
  unknown_url: missing,
  unknown_model: missing,
  no_provider: missing,
  unknown_resource: missing,
  receive_timeout: { status: 408, type: 'invalid_request_error', retryable: false },
  conflict: { status: 409, type: 'invalid_request_error', retryable: false },
  request_too_large: { status: 413, type: 'invalid_request_error', retryable: false },
  unsupported_encoding: { status: 415, type: 'invalid_request_error', retryable: false },
  unsupported_media_type: { status: 415, type: 'invalid_request_error', retryable: false },
  too_many_attempts: { status: 429, type: 'authentication_error', retryable: true },
  internal_error: { status: 500, type: 'internal_error', retryable: false },
  upstream_unreachable: { status: 502, type: 'upstream_error', retryable: false },
  upstream_interrupted: { status: 502, type: 'upstream_error', retryable: false },
  upstream_auth: { status: 502, type: 'upstream_error', retryable: false },
  upstream_redirect: { status: 502, type: 'upstream_error', retryable: false },
  upstream_timeout: { status: 504, type: 'upstream_error', retryable: false },
  ledger_unavailable: unavailable,
  overloaded: unavailable,
  shutting_down: unavailable,
  clock_unconfirmed: unavailable,
} as const satisfies Record<string, ReasonFacts>;

/** A stable code that clients may branch on. */
export type Reason = keyof typeof REASONS;

/** A refusal in flight between the steps of the path: what the client is told, and nothing that it must not know. */
export class Refusal {
  constructor(
    readonly reason: Reason,
    /** The public sentence: what happened and what to do next. Never holds a secret. */
    readonly message: string,
    readonly options: RefusalOptions = {},
  ) {}

  get status(): number {
    return this.options.status ?? REASONS[this.reason].status;
  }

  get type(): ErrorType {
    return REASONS[this.reason].type;
  }

  /** Whether `x-should-retry` tells the client's SDK to try again. */
  get retryable(): boolean {
    return this.options.retryable ?? REASONS[this.reason].retryable;
  }
}

/** The parts of a refusal that only some have. */
export interface RefusalOptions {
  /** The request field that was wrong, as a path: `messages.0.content`. */
  readonly param?: string;
  /** Overrides the table, for instance a budget that only holds in flight have filled. */
  readonly retryable?: boolean;
  /** Whole seconds for `retry-after`. */
  readonly retryAfterSeconds?: number;
  /** Overrides the status, for `retryable_status` of a policy. */
  readonly status?: number;
}
