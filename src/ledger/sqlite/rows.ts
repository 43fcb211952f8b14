import type { Candidate } from '../../domain/candidate.ts';
import type { Decision, Settlement } from '../../domain/decision.ts';
import type { NanoUsd } from '../../domain/money.ts';
import type { Finding, Verdict } from '../../domain/verdict.ts';
import { BASES, codeOf, DRAWS, OUTCOMES, ROUTES } from './codes.ts';

/** A value as it goes to the writer in JSON. A fingerprint goes as text, because JSON has no 64-bit numbers. */
export type Cell = number | string | null;

/** A row on its way to the writer: its kind, then the columns in the order of the lists below. */
export type Row = readonly [kind: number, ...cells: Cell[]];

/** The kinds of row. */
export const DECISION_ROW = 0;
const SETTLEMENT_ROW = 1;

/** The columns of a decision row, in order. */
export const DECISION_COLUMNS =
  'seq, at_ms, project_id, key_id, connection_id, route, test, stream, model, model_known, requested_model, models, ip, country, ' +
  'end_user, fingerprint, repeated_tool_calls, stored_references, priced, price_version, input_token_estimate, input_token_bound, ' +
  'input_hold_nano_usd, output_nano_usd_per_million, choices, client_output_cap, model_output_limit, output_floor, unpriced_feature, ' +
  'policy_version, reason, count, hold_nano_usd, output_cap, held_output_tokens, remaining_nano_usd, draws, status, finding, observed';

/** Where the writer finds what its books need in a decision row (the kind is at 0). */
export const DECISION_AT = {
  seq: 1,
  atMs: 2,
  projectId: 3,
  keyId: 4,
  test: 7,
  model: 9,
  models: 12,
  country: 14,
  endUser: 15,
  reason: 31,
  count: 32,
  draws: 37,
} as const;

/** The columns of a settlement row, in order. */
export const SETTLEMENT_COLUMNS =
  'seq, decision_seq, at_ms, outcome, basis, cost_nano_usd, input_tokens, cached_input_tokens, cache_write_tokens, audio_input_tokens, ' +
  'output_tokens, reasoning_tokens, audio_output_tokens, provider_cost_nano_usd, tool_calls, flags, overrun, upstream_status, ' +
  'first_byte_ms, duration_ms, response_id, counts_volume';

/** Where the writer finds what its books need in a settlement row. */
export const SETTLEMENT_AT = {
  seq: 1,
  decisionSeq: 2,
  atMs: 3,
  outcome: 4,
  cost: 6,
  inputTokens: 7,
  cachedInputTokens: 8,
  outputTokens: 11,
  countsVolume: 22,
} as const;

/** A decision as a row; `count` is how many equal denials it stands for. Throws a RangeError for a hold that is no amount. */
export function decisionRow(decision: Decision, count: number): Row {
  const { candidate, verdict } = decision;
  const { quote } = candidate;
  const allowed = verdict.allow ? verdict : null;
  return [
    DECISION_ROW,
    decision.seq,
    decision.atMs,
    candidate.projectId,
    candidate.keyId,
    candidate.connectionId === 0 ? null : candidate.connectionId,
    codeOf(ROUTES, candidate.route),
    candidate.environment === 'test' ? 1 : 0,
    candidate.stream ? 1 : 0,
    candidate.model,
    candidate.modelKnown ? 1 : 0,
    candidate.requestedModel === candidate.model ? null : candidate.requestedModel,
    modelsCell(candidate),
    candidate.ip,
    candidate.country,
    candidate.endUser,
    BigInt.asIntN(64, candidate.fingerprint).toString(),
    candidate.repeatedToolCalls,
    listCell(candidate.storedReferences),
    quote.priced ? 1 : 0,
    quote.priceVersion,
    quote.inputTokenEstimate,
    quote.inputTokenBound,
    quote.inputHoldNanoUsd,
    quote.outputNanoUsdPerMillion,
    quote.choices,
    quote.clientOutputCap,
    quote.modelOutputLimit,
    quote.outputFloor,
    quote.unpricedFeature,
    decision.policyVersion,
    verdict.allow ? null : verdict.finding.reason,
    count,
    allowed ? exact(allowed.holdNanoUsd) : null,
    allowed ? allowed.outputCap : null,
    allowed ? allowed.heldOutputTokens : null,
    allowed ? allowed.remainingNanoUsd : null,
    codeOf(DRAWS, allowed ? allowed.draws : 'none'),
    statusCell(verdict),
    verdict.allow ? null : JSON.stringify(verdict.finding),
    findingsCell(verdict.observed),
  ];
}

/** A settlement as a row. Throws a RangeError for a cost that is no amount. */
export function settlementRow(seq: number, atMs: number, settlement: Settlement): Row {
  const { usage } = settlement;
  return [
    SETTLEMENT_ROW,
    seq,
    settlement.decisionSeq,
    atMs,
    codeOf(OUTCOMES, settlement.outcome),
    codeOf(BASES, settlement.basis),
    exact(settlement.costNanoUsd),
    usage ? usage.inputTokens : null,
    usage ? usage.cachedInputTokens : null,
    usage ? usage.cacheWriteTokens : null,
    usage ? usage.audioInputTokens : null,
    usage ? usage.outputTokens : null,
    usage ? usage.reasoningTokens : null,
    usage ? usage.audioOutputTokens : null,
    usage ? usage.providerCostNanoUsd : null,
    usage?.toolCalls ? JSON.stringify(usage.toolCalls) : null,
    usage ? listCell(usage.flags) : null,
    settlement.overrun ? 1 : 0,
    settlement.upstreamStatus,
    settlement.firstByteMs === null ? null : Math.round(settlement.firstByteMs),
    Math.round(settlement.durationMs),
    settlement.responseId,
    settlement.countsVolume ? 1 : 0,
  ];
}

/** Money that rows and balances take: one sum with a fraction or a NaN in it would open every budget that counts it. */
function exact(nanoUsd: NanoUsd): NanoUsd {
  if (!Number.isSafeInteger(nanoUsd) || nanoUsd < 0) throw new RangeError(`${nanoUsd} is no amount of nano-USD`);
  return nanoUsd;
}

function modelsCell(candidate: Candidate): string | null {
  const alone = candidate.models.length === 1 && candidate.models[0] === candidate.model;
  // Half a sign is stored as U+FFFD everywhere, but JSON would keep it as an escape, and the sums would not be those of the rows.
  return alone ? null : JSON.stringify(candidate.models.map((model) => model.toWellFormed()));
}

function listCell(list: readonly string[]): string | null {
  return list.length === 0 ? null : JSON.stringify(list);
}

function findingsCell(findings: readonly Finding[]): string | null {
  return findings.length === 0 ? null : JSON.stringify(findings);
}

function statusCell(verdict: Verdict): number | null {
  return verdict.allow ? null : (verdict.status ?? null);
}
