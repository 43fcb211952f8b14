import { Refusal } from '../domain/errors.ts';
import { bearerToken } from '../gateway/authenticate.ts';
import { canonicalAddress } from '../gateway/origin.ts';
import type { Operator } from '../operator/outcome.ts';
import type { Office } from '../operator/office.ts';
import { notFound } from './errors.ts';
import { isLiteral } from './literal-path.ts';
import { checkHost } from './public.ts';

/**
 * For whom a route is: `installation` for operators who are bound to no workspace, `workspace` also for those who are; the route then
 * answers for their workspace only.
 */
export type Reach = 'installation' | 'workspace';

/** How many wrong tokens an address may try in a minute. */
const ATTEMPTS = 20;
const WINDOW_MS = 60_000;
/** Addresses that are remembered; past that the oldest are forgotten. */
const ADDRESSES = 10_000;

/** Counts wrong tokens by address, in memory only: an attacker must not be able to write anything. */
class Attempts {
  readonly #byAddress = new Map<string, { count: number; sinceMs: number }>();

  isExhausted(address: string, nowMs: number): boolean {
    const entry = this.#byAddress.get(address);
    return entry !== undefined && nowMs - entry.sinceMs < WINDOW_MS && entry.count >= ATTEMPTS;
  }

  failed(address: string, nowMs: number): void {
    const entry = this.#byAddress.get(address);
    if (entry !== undefined && nowMs - entry.sinceMs < WINDOW_MS) {
      entry.count++;
      return;
    }
    this.#byAddress.delete(address);
    if (this.#byAddress.size >= ADDRESSES) this.#byAddress.delete(this.#byAddress.keys().next().value!);
    this.#byAddress.set(address, { count: 1, sinceMs: nowMs });
  }
}

/** Who an operator request comes from. Throws a Refusal when it comes from nobody whom we know. */
export class OperatorDoor {
  readonly #attempts = new Attempts();

  constructor(readonly office: Office) {}

  /** Who has a token that is bound to a workspace enters where `reach` says so, and nowhere else. */
  enter(request: Request, peer: string | null, reach: Reach = 'installation'): Operator {
    const operator = this.#identify(request, peer);
    if (operator.workspaceId !== null && reach !== 'workspace')
      throw new Refusal('forbidden', 'This operator token is bound to a workspace. Ask an owner of the installation.');
    return operator;
  }

  #identify(request: Request, peer: string | null): Operator {
    const hostProblem = checkHost(request);
    if (hostProblem) throw hostProblem;
    if (!isLiteral(request, peer)) throw notFound(request.method, new URL(request.url).pathname);
    const address = canonicalAddress(peer) ?? 'unknown';
    const nowMs = this.office.clock.monotonicMs();
    const token = bearerToken(request.headers.get('authorization') ?? '');
    const operator = token === null ? null : this.office.registry.operator(token);
    if (operator && (operator.expiresAtMs === null || operator.expiresAtMs > this.office.clock.nowMs())) return operator;
    if (this.#attempts.isExhausted(address, nowMs))
      throw new Refusal('too_many_attempts', 'Too many wrong operator tokens from this address. Wait a minute.', { retryAfterSeconds: 60 });
    if (token === null)
      throw new Refusal(
        'missing_key',
        'Send an operator token as `Authorization: Bearer po_...`. The first one is in the file operator.token of the data directory.',
      );
    this.#attempts.failed(address, nowMs);
    if (operator) throw new Refusal('expired_key', 'This operator token has expired. Ask an owner for a new one.');
    throw new Refusal('invalid_key', 'The operator token is not known.');
  }
}

/** Refuses writes of an operator who may only look. */
export function mustOwn(operator: Operator): void {
  if (operator.role !== 'owner') throw new Refusal('forbidden', 'This operator token may only read. Ask an owner.');
}
