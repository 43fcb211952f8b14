import type { Outcome } from '../domain/decision.ts';
import type { Attempt } from '../gateway/attempt.ts';
import type { PathObserver } from '../gateway/observer.ts';

/** So many of the last attempts of a connection say how it is. */
const REMEMBERED = 100;
/** Connections that are remembered; there are rarely more than a few. */
const MOST_CONNECTIONS = 1_000;

/** How a provider did lately, by the attempts that this process sent to it. */
export interface ProviderStanding {
  /** Of how many attempts; at most 100. */
  readonly attempts: number;
  /** Those that the provider answered as it should; what a client asked wrongly is no fault of the provider. */
  readonly ok: number;
  /** The last that went wrong: a short code such as `http_503` or `timeout`, and when, in milliseconds since 1970. */
  readonly lastError: { readonly kind: string; readonly atMs: number } | null;
  /** Half of the answers began within this, milliseconds; null when none did. */
  readonly p50FirstByteMs: number | null;
}

interface Ring {
  /** The error of each attempt, null for a good one; the oldest is written over. */
  readonly errors: (string | null)[];
  readonly firstBytesMs: (number | null)[];
  next: number;
  lastError: ProviderStanding['lastError'];
}

/** Watches the path, and remembers for each connection how its last attempts ended. Costs a few assignments an attempt. */
export class ProviderHealth implements PathObserver {
  readonly #rings = new Map<number, Ring>();

  constructor(readonly nowMs: () => number) {}

  ended(attempt: Attempt): void {
    const { settlement, sentMs, upstreamStatus } = attempt;
    const connectionId = attempt.priced.connection?.id;
    if (connectionId === undefined || settlement === null || sentMs === null) return;
    const error = errorOf(settlement.outcome, upstreamStatus);
    if (error === undefined) return;
    const ring = this.#ringOf(connectionId);
    if (ring === null) return;
    ring.errors[ring.next] = error;
    ring.firstBytesMs[ring.next] = settlement.firstByteMs;
    ring.next = (ring.next + 1) % REMEMBERED;
    if (error !== null) ring.lastError = { kind: error, atMs: this.nowMs() };
  }

  /** How a connection did since the process started; null when nothing was sent to it. */
  of(connectionId: number): ProviderStanding | null {
    const ring = this.#rings.get(connectionId);
    if (ring === undefined) return null;
    const times = ring.firstBytesMs.filter((ms) => ms !== null).toSorted((a, b) => a - b);
    return {
      attempts: ring.errors.length,
      ok: ring.errors.filter((error) => error === null).length,
      lastError: ring.lastError,
      p50FirstByteMs: times[Math.floor((times.length - 1) / 2)] ?? null,
    };
  }

  #ringOf(connectionId: number): Ring | null {
    const known = this.#rings.get(connectionId);
    if (known !== undefined) return known;
    if (this.#rings.size >= MOST_CONNECTIONS) return null;
    const fresh: Ring = { errors: [], firstBytesMs: [], next: 0, lastError: null };
    this.#rings.set(connectionId, fresh);
    return fresh;
  }
}

/** Refusals that are about us and not about what a client asked. */
const OURS: Readonly<Record<number, string>> = { 401: 'key_refused', 403: 'key_refused', 408: 'http_408', 429: 'rate_limited' };

/** What went wrong at the provider, null when nothing did; undefined for what says nothing about it, such as a client that went away. */
function errorOf(outcome: Outcome, status: number): string | null | undefined {
  if (outcome === 'upstream_interrupted') return 'interrupted';
  if (outcome === 'upstream_timeout') return 'timeout';
  if (outcome === 'not_sent') return 'unreachable';
  if (status >= 500) return `http_${status}`;
  if (Object.hasOwn(OURS, status)) return OURS[status];
  if (outcome === 'upstream_error') return status >= 400 ? null : 'bad_answer';
  return outcome === 'completed' ? null : undefined;
}
