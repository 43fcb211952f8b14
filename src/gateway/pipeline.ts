import type { Decision } from '../domain/decision.ts';
import { Refusal } from '../domain/errors.ts';
import { denial, unavailable } from './admit.ts';
import { judgeAccess } from './access.ts';
import { Attempt, NOTHING_SENT } from './attempt.ts';
import { authenticate, type Caller } from './authenticate.ts';
import { deciderOf } from './deciders.ts';
import { deniedAgain } from './flood.ts';
import { forward } from './forward.ts';
import type { Gateway } from './gateway.ts';
import { originOf, type Origin } from './origin.ts';
import { FieldRefused } from './outgoing.ts';
import { price } from './price.ts';
import type { Call } from './call.ts';
import { checkReferences } from './references.ts';
import { receive, release } from './receive.ts';
import { Refused } from './refused.ts';
import { Turn } from './turn.ts';
import { bodyIsHere } from './unread-body.ts';
import type { JsonBody } from '../wire/json.ts';

/** How often a request may be sent again without a field that its provider refused. */
const MAX_ATTEMPTS = 4;

/** Where requests that have just come in wait for each other. */
const arrivals = new Turn();

/**
 * The path of a request: authenticate, receive, price, admit and record, forward, settle.
 * An asynchronous function costs a request about a microsecond even where it has nothing to wait for, so there is one for the
 * request, one for each attempt, and one for what is sent.
 */
export async function serve(gateway: Gateway, call: Call): Promise<Response | Refused> {
  await arrivals.end();
  const { changes } = gateway.directory;
  const known = enter(gateway, call);
  if (known instanceof Refusal) return refuseUnread(gateway, call, new Refused(known));
  const origin = originOf(call.request.headers, call.peer, gateway.origin);
  const again = deniedAgain(gateway, call.route, known, origin);
  if (again !== null) return refuseUnread(gateway, call, again);
  const received = await receive(call.request, gateway.limits, gateway.bodies);
  if (received instanceof Refusal)
    return isBodyLeft(call, received) ? refuseUnread(gateway, call, new Refused(received)) : refuse(gateway, call, received);
  try {
    for (let left = MAX_ATTEMPTS; ; left--) {
      // A body takes its time, and so does a provider that then refuses a field: by now the key can be revoked or its time be over, the
      // policy another one, or the process about to end.
      const isAsBefore = changes === gateway.directory.changes && known.key.expiresAtMs === null && !gateway.stopping;
      const caller = isAsBefore ? known : enter(gateway, call);
      if (caller instanceof Refusal) return refuse(gateway, call, caller);
      const answer = await attemptOnce(gateway, call, caller, origin, received.body, left === 1);
      if (answer instanceof FieldRefused) continue;
      return answer instanceof Refused ? tellRefused(gateway, call, answer) : answer;
    }
  } finally {
    release(received, gateway.bodies);
  }
}

function refuse(gateway: Gateway, call: Call, refusal: Refusal): Refused {
  return tellRefused(gateway, call, new Refused(refusal));
}

/** Refuses a request whose body nobody has read. */
async function refuseUnread(gateway: Gateway, call: Call, refused: Refused): Promise<Refused> {
  const isHere = await bodyIsHere(call.request);
  return tellRefused(gateway, call, isHere ? refused : refused.leavingBody());
}

/** Whether a request was refused for its headers, or for want of room: then its body, or the rest of it, is still on its way. */
function isBodyLeft({ request }: Call, refusal: Refusal): boolean {
  return !request.bodyUsed || refusal.reason === 'overloaded';
}

function tellRefused(gateway: Gateway, call: Call, refused: Refused): Refused {
  for (const observer of gateway.observers) observer.refused?.(call, refused);
  return refused;
}

function enter(gateway: Gateway, { request }: Call): Caller | Refusal {
  return closedDoor(gateway) ?? authenticate(request.headers, gateway.directory, gateway.clock.nowMs());
}

/** Each attempt has its own decision, hold and settlement. `FieldRefused` asks for another one, which `isLast` forbids. */
async function attemptOnce(
  gateway: Gateway,
  call: Call,
  caller: Caller,
  origin: Origin,
  body: JsonBody,
  isLast: boolean,
): Promise<Response | Refused | FieldRefused> {
  const priced = price(call.route, body, caller, origin, gateway.catalogue, call.request.headers.get('x-panicly-user'));
  if (priced instanceof Refusal) return new Refused(priced);
  const stops = stopsOf(gateway);
  const foreign = priced.candidate.storedReferences.length === 0 ? null : await checkReferences(gateway, priced);
  if (foreign) return new Refused(foreign);
  call.mark?.judging();
  // Many may have come through the door together.
  const full = fullHouse(gateway);
  if (full) return new Refused(full);
  const { policy } = caller.entry;
  gateway.inFlight.deciding++;
  let decision: Decision;
  try {
    decision = await gateway.ledger.admit(priced.candidate, policy.version, deciderOf(policy));
  } catch (error) {
    return unavailable(error);
  } finally {
    gateway.inFlight.deciding--;
  }
  if (!decision.verdict.allow) return denial(decision, decision.verdict, priced);
  const attempt = new Attempt(decision, priced, gateway, call);
  try {
    for (const observer of gateway.observers) observer.admitted?.(attempt, call);
    const stopped = stops === stopsOf(gateway) ? null : stoppedMeanwhile(gateway, attempt, caller, call, origin);
    if (stopped) return stopped;
    const answer = await forward(gateway, attempt, caller, call, body);
    return answer instanceof FieldRefused ? withoutField(attempt, answer, isLast) : answer;
  } catch (error) {
    // Whatever breaks in between, no hold stays open.
    attempt.fail();
    throw error;
  }
}

/** The connection learns which field its provider refuses. */
function withoutField({ id, priced }: Attempt, refused: FieldRefused, isLast: boolean): Refused | FieldRefused {
  if (isLast) return new Refused(new Refusal('upstream_interrupted', 'The provider refused every form of the request.'), id);
  priced.connection?.refusedFields.add(refused.field);
  return refused;
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
