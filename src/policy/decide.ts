import type { Candidate } from '../domain/candidate.ts';
import { REASONS } from '../domain/errors.ts';
import type { StateView } from '../domain/state.ts';
import type { Allowed, Denied, Finding, Verdict } from '../domain/verdict.ts';
import { Case } from './case.ts';
import type { CompiledPolicy } from './compiled.ts';
import type { Control } from './control.ts';
import { CONTROLS } from './controls.ts';

/** Judges one request: pure and synchronous. The same function runs live and in replay. Times are ledger time in milliseconds. */
export function decide(policy: CompiledPolicy, state: StateView, candidate: Candidate, nowMs: number): Verdict {
  return decideWith(CONTROLS, policy, state, candidate, nowMs);
}

/** `decide` with another list of controls: tests take one out to see that it is missed. */
export function decideWith(
  controls: readonly Control[],
  policy: CompiledPolicy,
  state: StateView,
  candidate: Candidate,
  nowMs: number,
): Verdict {
  const request = new Case(policy, state, candidate, nowMs);
  const observed: Finding[] = [];
  for (const control of controls) {
    const finding = control.speak(request, observed);
    if (finding !== null) return denied(policy, finding, observed);
  }
  return allowed(request, observed);
}

function denied(policy: CompiledPolicy, finding: Finding, observed: readonly Finding[]): Denied {
  const { status, retryable } = REASONS[finding.reason];
  const hasOtherStatus = (finding.retryable ?? retryable) && status === 403 && policy.retryableStatus !== 403;
  return { allow: false, finding, observed, ...(hasOtherStatus ? { status: policy.retryableStatus } : {}) };
}

function allowed(request: Case, observed: readonly Finding[]): Allowed {
  const { plan, policy } = request;
  const { budgetRoomNanoUsd } = plan.standings;
  const capacity = policy.capacity[0];
  return {
    allow: true,
    holdNanoUsd: plan.holdNanoUsd,
    outputCap: plan.outputCap,
    heldOutputTokens: plan.heldOutputTokens,
    remainingNanoUsd: budgetRoomNanoUsd === null ? null : budgetRoomNanoUsd - plan.holdNanoUsd,
    draws: capacity === undefined ? 'none' : (request.drawFrom(capacity) ?? 'none'),
    observed,
  };
}
