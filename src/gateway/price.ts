import type { Candidate, Quote } from '../domain/candidate.ts';
import { Refusal } from '../domain/errors.ts';
import type { PricingRules, RequestFacts } from '../domain/facts.ts';
import type { Catalogue } from '../pricing/catalogue.ts';
import { ratesFor, type Rates } from '../pricing/cost.ts';
import type { Profile } from '../pricing/profiles.ts';
import { makeQuote } from '../pricing/quote.ts';
import { readFacts } from '../wire/facts.ts';
import type { JsonBody } from '../wire/json.ts';
import type { Caller } from './authenticate.ts';
import type { ConnectionEntry } from './directory.ts';
import type { Origin } from './origin.ts';
import { capFieldRefused } from './outgoing.ts';
import { targetOf, type Target } from './target.ts';

/** A request with its facts, its provider and its bounds: everything that needs no balance. */
export interface Priced {
  readonly candidate: Candidate;
  readonly facts: RequestFacts;
  /** The connection that serves, or null for the simulator. */
  readonly connection: ConnectionEntry | null;
  /** The model name that goes into the forwarded body. */
  readonly forwardModel: string;
  readonly profile: Profile;
  readonly rates: Rates;
  /** The key that called, for cutting its streams when it is revoked; budgets go by its line (`candidate.keyId`). */
  readonly keyId: number;
}

/** What is known of a request that was judged, whatever was read of it. */
export type Judged = Pick<Priced, 'candidate' | 'keyId'>;

/** An end user's name is kept in rows and in memory. */
const MAX_USER_CHARACTERS = 256;

/** Which provider and catalogue model, the token bounds and the rates. Reads no balance. */
export function price(
  route: Candidate['route'],
  body: JsonBody,
  caller: Caller,
  origin: Origin,
  catalogue: Catalogue,
  headerUser: string | null,
): Priced | Refusal {
  const facts = readFacts(route, body.outline, body.longTexts, body.shortenedNumberBytes);
  if (facts instanceof Refusal) return facts;
  const target = targetOf(facts, caller, catalogue);
  if (target instanceof Refusal) return target;
  const rules = caller.entry.policy.pricing;
  const rates = ratesFor(target.reach, facts, target.profile, rules);
  const quote = quoteFor(facts, target, rules, catalogue.version, rates);
  const candidate: Candidate = {
    route,
    environment: caller.environment,
    workspaceId: caller.entry.workspace.id,
    projectId: caller.entry.project.id,
    keyId: caller.lineageId,
    connectionId: target.connection?.id ?? 0,
    requestedModel: facts.model,
    model: target.models[0]!,
    models: target.models,
    modelKnown: target.modelKnown,
    stream: facts.stream,
    ip: origin.ip,
    country: origin.country,
    // As the ledger stores it: under another name its spend would be forgotten with the next start.
    endUser: (headerUser ?? facts.endUser)?.slice(0, MAX_USER_CHARACTERS).toWellFormed() || null,
    fingerprint: facts.fingerprint,
    repeatedToolCalls: facts.repeatedToolCalls,
    storedReferences: facts.storedReferences,
    quote,
  };
  return {
    candidate,
    facts,
    connection: target.connection,
    forwardModel: target.model,
    profile: target.profile,
    rates,
    keyId: caller.key.id,
  };
}

/** Whether the client itself sent a cap in a field that this provider reads. */
function hasObeyedCap(facts: RequestFacts, { profile, connection }: Target): boolean {
  return profile.obeyedCapFields[facts.route].some(
    (field) => Object.hasOwn(facts.outputCaps, field) && !connection?.refusedFields.has(field),
  );
}

/** Where the provider refused the cap's field, the model's own limit is what has to be held. */
function quoteFor(facts: RequestFacts, target: Target, rules: PricingRules, version: number, rates: Rates): Quote {
  const quote = makeQuote(facts, target.reach, target.profile, rules, version, rates);
  const { connection, profile } = target;
  if (!capFieldRefused({ connection, profile, facts }) || hasObeyedCap(facts, target)) return quote;
  return { ...quote, clientOutputCap: quote.modelOutputLimit };
}
