import type { Candidate, Quote, Route } from '../domain/candidate.ts';
import { Refusal } from '../domain/errors.ts';
import { accessFinding } from '../policy/access.ts';
import type { Caller } from './authenticate.ts';
import type { Gateway } from './gateway.ts';
import type { Origin } from './origin.ts';

/** A request that uses no tokens. */
const NO_QUOTE: Quote = {
  priced: true,
  priceVersion: 0,
  inputTokenEstimate: 0,
  inputTokenBound: 0,
  inputHoldNanoUsd: 0,
  outputNanoUsdPerMillion: 0,
  choices: 0,
  clientOutputCap: null,
  modelOutputLimit: 0,
  outputFloor: 0,
  unpricedFeature: null,
};

/** Judges a caller by network, region and Sentry Mode alone. Null lets it pass. */
export function judgeAccess(gateway: Gateway, caller: Caller, origin: Origin): Refusal | null {
  const finding = accessFinding(caller.entry.policy, gateway.state, leastCandidate(caller, origin, 'chat'), gateway.clock.nowMs());
  return finding === null ? null : new Refusal(finding.reason, finding.message);
}

/** A request of this caller that asks for nothing: what can be judged before its body is read. */
export function leastCandidate(caller: Caller, origin: Origin, route: Route): Candidate {
  return {
    route,
    environment: caller.environment,
    workspaceId: caller.entry.workspace.id,
    projectId: caller.entry.project.id,
    keyId: caller.lineageId,
    connectionId: 0,
    requestedModel: '',
    model: '',
    models: [],
    modelKnown: true,
    stream: false,
    ip: origin.ip,
    country: origin.country,
    endUser: null,
    fingerprint: 0n,
    repeatedToolCalls: 0,
    storedReferences: [],
    quote: NO_QUOTE,
  };
}
