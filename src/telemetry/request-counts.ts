import type { Environment, Route } from '../domain/candidate.ts';
import { REASONS, type Reason } from '../domain/errors.ts';
import type { Sample } from './exposition.ts';

const ROUTES: readonly Route[] = ['chat', 'responses', 'embeddings'];
const ENVIRONMENTS = ['live', 'test', 'none'] as const;
const REASON_NAMES = Object.keys(REASONS) as Reason[];
const REASON_PLACE = new Map<Reason, number>(REASON_NAMES.map((reason, place) => [reason, place]));

/** Counts by route, environment and reason: a closed table, of which only what was counted is written. */
export class RequestCounts {
  readonly #allowed = new Float64Array(ROUTES.length * ENVIRONMENTS.length);
  readonly #denied = new Float64Array(this.#allowed.length * REASON_NAMES.length);
  readonly #refused = new Float64Array(ROUTES.length * REASON_NAMES.length);
  readonly #failed = new Float64Array(ROUTES.length * REASON_NAMES.length);

  allowed(route: Route, environment: Environment): void {
    this.#allowed[place(route, environment)]!++;
  }

  /** A policy said no. */
  denied(route: Route, environment: Environment, reason: Reason): void {
    this.#denied[place(route, environment) * REASON_NAMES.length + REASON_PLACE.get(reason)!]!++;
  }

  /** Refused before it was judged: no key, no valid body, no room, no ledger. */
  refused(route: Route, reason: Reason): void {
    this.#refused[ROUTES.indexOf(route) * REASON_NAMES.length + REASON_PLACE.get(reason)!]!++;
  }

  /** Admitted, and then the client was told of a failure. */
  failed(route: Route, reason: Reason): void {
    this.#failed[ROUTES.indexOf(route) * REASON_NAMES.length + REASON_PLACE.get(reason)!]!++;
  }

  /** Requests by decision: `allow`, `deny`, or `none` for what was refused before it was judged. */
  requests(): Sample[] {
    const samples: Sample[] = [];
    for (const [at, count] of this.#allowed.entries()) {
      const environment = ENVIRONMENTS[at % ENVIRONMENTS.length]!;
      // Those that every installation has are there from the start, so that a rate of them can be taken.
      if (count > 0 || environment === 'live') samples.push([{ decision: 'allow', reason: 'none', ...where(at) }, count]);
    }
    for (const [at, count] of this.#denied.entries()) {
      if (count === 0) continue;
      const reason = REASON_NAMES[at % REASON_NAMES.length]!;
      samples.push([{ decision: 'deny', reason, ...where(Math.floor(at / REASON_NAMES.length)) }, count]);
    }
    for (const [route, reason, count] of byReason(this.#refused))
      samples.push([{ decision: 'none', reason, route, environment: 'none' }, count]);
    return samples;
  }

  /** Failures of admitted requests. */
  failures(): Sample[] {
    return byReason(this.#failed).map(([route, reason, count]) => [{ reason, route }, count]);
  }
}

function place(route: Route, environment: Environment): number {
  return ROUTES.indexOf(route) * ENVIRONMENTS.length + (environment === 'live' ? 0 : 1);
}

function where(at: number): { readonly route: string; readonly environment: string } {
  return { route: ROUTES[Math.floor(at / ENVIRONMENTS.length)]!, environment: ENVIRONMENTS[at % ENVIRONMENTS.length]! };
}

function byReason(counts: Float64Array): (readonly [route: Route, reason: Reason, count: number])[] {
  const rows: (readonly [Route, Reason, number])[] = [];
  for (const [at, count] of counts.entries())
    if (count > 0) rows.push([ROUTES[Math.floor(at / REASON_NAMES.length)]!, REASON_NAMES[at % REASON_NAMES.length]!, count]);
  return rows;
}
