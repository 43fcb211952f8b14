import { Refusal } from '../domain/errors.ts';
import { admit } from './admit.ts';
import { judgeAccess } from './access.ts';
import { Attempt, NOTHING_SENT } from './attempt.ts';
import { authenticate, type Caller } from './authenticate.ts';
import { forward } from './forward.ts';
import type { Gateway } from './gateway.ts';
import { originOf, type Origin } from './origin.ts';
import { FieldRefused } from './outgoing.ts';
import { price } from './price.ts';
import type { Call } from './call.ts';
import { checkReferences } from './references.ts';
import { receive, type Received } from './receive.ts';
import { Refused } from './refused.ts';

/** How often a request may be sent again without a field that its provider refused. */
const MAX_ATTEMPTS = 4;

/** The path of a request: authenticate, receive, price, admit and record, forward, settle. */
export async function serve(gateway: Gateway, call: Call): Promise<Response | Refused> {
  const answer = await walk(gateway, call);
  if (answer instanceof Refused) {
    for (const observer of gateway.observers) observer.refused?.(call, answer);
  }
  return answer;
}

async function walk(gateway: Gateway, call: Call): Promise<Response | Refused> {
  const { changes } = gateway.directory;
  const known = enter(gateway, call);
  if (known instanceof Refusal) return new Refused(known);
  const received = await receive(call.request, gateway.limits, gateway.bodies);
  if (received instanceof Refusal) return new Refused(received);
  try {
    // A body may take its time: by now the key can be revoked, the policy another one, or the process about to end.
    const caller = changes === gateway.directory.changes && !gateway.stopping ? known : enter(gateway, call);
    if (caller instanceof Refusal) return new Refused(caller);
    return await attempts(gateway, call, caller, received);
  } finally {
    gateway.bodies.give(received.reservedBytes);
  }
}

function enter(gateway: Gateway, { request }: Call): Caller | Refusal {
  return closedDoor(gateway) ?? authenticate(request.headers, gateway.directory, gateway.clock.nowMs());
}

/** Each attempt has its own decision, hold and settlement. */
async function attempts(gateway: Gateway, call: Call, caller: Caller, received: Received): Promise<Response | Refused> {
  const { headers } = call.request;
  const origin = originOf(headers, call.peer, gateway.origin);
  for (let left = MAX_ATTEMPTS; ; left--) {
    const priced = price(call.route, received.body, caller, origin, gateway.catalogue, headers.get('x-panicly-user'));
    if (priced instanceof Refusal) return new Refused(priced);
    const stops = stopsOf(gateway);
    const foreign = priced.candidate.storedReferences.length === 0 ? null : await checkReferences(gateway, priced);
    if (foreign) return new Refused(foreign);
    call.mark?.judging();
    // Many may have come through the door together.
    const full = fullHouse(gateway);
    if (full) return new Refused(full);
    gateway.inFlight.deciding++;
    let decision: Awaited<ReturnType<typeof admit>>;
    try {
      decision = await admit(priced, caller.entry.policy, gateway.ledger);
    } finally {
      gateway.inFlight.deciding--;
    }
    if (decision instanceof Refused) return decision;
    const attempt = new Attempt(decision, priced, gateway, call.onEnd ?? null, call.arrivedMs);
    for (const observer of gateway.observers) observer.admitted?.(attempt, call);
    const stopped = stops === stopsOf(gateway) ? null : stoppedMeanwhile(gateway, attempt, caller, call, origin);
    if (stopped) return stopped;
    const answer = await forwardOrFail(gateway, attempt, caller, call, received.body);
    if (!(answer instanceof FieldRefused)) return answer;
    if (left === 1) return new Refused(new Refusal('upstream_interrupted', 'The provider refused every form of the request.'), attempt.id);
    priced.connection?.refusedFields.add(answer.field);
  }
}

/** Whatever breaks in between, no hold stays open. */
async function forwardOrFail(...parts: Parameters<typeof forward>): ReturnType<typeof forward> {
  try {
    return await forward(...parts);
  } catch (error) {
    parts[1].fail();
    throw error;
  }
}

/** Grows whenever something happens that may stop a request: a cut, a change of keys or projects, the end of the process. */
function stopsOf(gateway: Gateway): number {
  return gateway.inFlight.cuts + gateway.directory.changes + (gateway.stopping ? 1 : 0);
}

/** A key that was revoked, or a stop of any kind that began, while the decision was being written: nothing may be sent any more. */
function stoppedMeanwhile(gateway: Gateway, attempt: Attempt, caller: Caller, call: Call, origin: Origin): Refused | null {
  const again = gateway.stopping ? SHUTTING_DOWN : authenticate(call.request.headers, gateway.directory, gateway.clock.nowMs());
  const refusal = again instanceof Refusal ? again : judgeAccess(gateway, caller, origin);
  if (refusal === null) return null;
  attempt.end('not_sent', NOTHING_SENT);
  return new Refused(refusal, attempt.id);
}

const SHUTTING_DOWN = new Refusal('shutting_down', 'Panicly is stopping. Try again in a moment.', { retryAfterSeconds: 1 });

function closedDoor(gateway: Gateway): Refusal | null {
  return gateway.stopping ? SHUTTING_DOWN : fullHouse(gateway);
}

function fullHouse({ inFlight, limits }: Gateway): Refusal | null {
  if (inFlight.size + inFlight.deciding < limits.requestsInFlight) return null;
  const message = 'Too many requests are in flight (limits.requests_in_flight). Try again in a moment.';
  return new Refusal('overloaded', message, { retryAfterSeconds: 1 });
}
