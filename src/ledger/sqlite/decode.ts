import type { Candidate } from '../../domain/candidate.ts';
import type { Decision, Settlement } from '../../domain/decision.ts';
import type { Usage } from '../../domain/usage.ts';
import type { Finding, Verdict } from '../../domain/verdict.ts';
import { BASES, DRAWS, OUTCOMES, ROUTES, valueOf } from './codes.ts';

/** A row of `decisions` as drizzle's camelCase names have it, with the fingerprint as text and the project's workspace. */
export interface DecisionRecord {
  seq: number;
  atMs: number;
  workspaceId: number;
  projectId: number;
  keyId: number;
  connectionId: number | null;
  route: number;
  test: number;
  stream: number;
  model: string;
  modelKnown: number;
  requestedModel: string | null;
  models: string | null;
  ip: string | null;
  country: string | null;
  endUser: string | null;
  fingerprint: string;
  repeatedToolCalls: number;
  storedReferences: string | null;
  priced: number;
  priceVersion: number;
  inputTokenEstimate: number;
  inputTokenBound: number;
  inputHoldNanoUsd: number;
  outputNanoUsdPerMillion: number;
  choices: number;
  clientOutputCap: number | null;
  modelOutputLimit: number;
  outputFloor: number;
  unpricedFeature: string | null;
  policyVersion: number;
  reason: string | null;
  count: number;
  holdNanoUsd: number | null;
  outputCap: number | null;
  heldOutputTokens: number | null;
  remainingNanoUsd: number | null;
  draws: number;
  status: number | null;
  finding: string | null;
  observed: string | null;
}

/** A row of `settlements` as drizzle's camelCase names have it. */
export interface SettlementRecord {
  seq: number;
  decisionSeq: number;
  atMs: number;
  outcome: number;
  basis: number;
  costNanoUsd: number;
  inputTokens: number | null;
  cachedInputTokens: number | null;
  cacheWriteTokens: number | null;
  audioInputTokens: number | null;
  outputTokens: number | null;
  reasoningTokens: number | null;
  audioOutputTokens: number | null;
  providerCostNanoUsd: number | null;
  toolCalls: string | null;
  flags: string | null;
  overrun: number;
  upstreamStatus: number;
  firstByteMs: number | null;
  durationMs: number;
  responseId: string | null;
  countsVolume: number;
}

/** The decision behind a row: equal to the one that was recorded. */
export function decodeDecision(row: DecisionRecord): Decision {
  return { seq: row.seq, atMs: row.atMs, candidate: decodeCandidate(row), policyVersion: row.policyVersion, verdict: decodeVerdict(row) };
}

/** The request behind a row. */
export function decodeCandidate(row: DecisionRecord): Candidate {
  return {
    route: valueOf(ROUTES, row.route),
    environment: row.test ? 'test' : 'live',
    workspaceId: row.workspaceId,
    projectId: row.projectId,
    keyId: row.keyId,
    connectionId: row.connectionId ?? 0,
    requestedModel: row.requestedModel ?? row.model,
    model: row.model,
    models: row.models === null ? [row.model] : decodeList(row.models),
    modelKnown: row.modelKnown === 1,
    stream: row.stream === 1,
    ip: row.ip,
    country: row.country,
    endUser: row.endUser,
    fingerprint: BigInt.asUintN(64, BigInt(row.fingerprint)),
    repeatedToolCalls: row.repeatedToolCalls,
    storedReferences: decodeList(row.storedReferences),
    quote: {
      priced: row.priced === 1,
      priceVersion: row.priceVersion,
      inputTokenEstimate: row.inputTokenEstimate,
      inputTokenBound: row.inputTokenBound,
      inputHoldNanoUsd: row.inputHoldNanoUsd,
      outputNanoUsdPerMillion: row.outputNanoUsdPerMillion,
      choices: row.choices,
      clientOutputCap: row.clientOutputCap,
      modelOutputLimit: row.modelOutputLimit,
      outputFloor: row.outputFloor,
      unpricedFeature: row.unpricedFeature,
    },
  };
}

function decodeVerdict(row: DecisionRecord): Verdict {
  const observed = row.observed === null ? [] : (JSON.parse(row.observed) as Finding[]);
  if (row.finding !== null) {
    const finding = JSON.parse(row.finding) as Finding;
    return { allow: false, finding, observed, ...(row.status === null ? {} : { status: row.status }) };
  }
  return {
    allow: true,
    holdNanoUsd: row.holdNanoUsd ?? 0,
    outputCap: row.outputCap,
    heldOutputTokens: row.heldOutputTokens ?? 0,
    remainingNanoUsd: row.remainingNanoUsd,
    draws: valueOf(DRAWS, row.draws),
    observed,
  };
}

/** The settlement behind a row. */
export function decodeSettlement(row: SettlementRecord): Settlement {
  return {
    decisionSeq: row.decisionSeq,
    outcome: valueOf(OUTCOMES, row.outcome),
    basis: valueOf(BASES, row.basis),
    costNanoUsd: row.costNanoUsd,
    usage: decodeUsage(row),
    overrun: row.overrun === 1,
    upstreamStatus: row.upstreamStatus,
    firstByteMs: row.firstByteMs,
    durationMs: row.durationMs,
    responseId: row.responseId,
    countsVolume: row.countsVolume === 1,
  };
}

function decodeUsage(row: SettlementRecord): Usage | null {
  if (row.inputTokens === null) return null;
  return {
    inputTokens: row.inputTokens,
    cachedInputTokens: row.cachedInputTokens ?? 0,
    cacheWriteTokens: row.cacheWriteTokens ?? 0,
    audioInputTokens: row.audioInputTokens ?? 0,
    outputTokens: row.outputTokens ?? 0,
    reasoningTokens: row.reasoningTokens ?? 0,
    audioOutputTokens: row.audioOutputTokens ?? 0,
    providerCostNanoUsd: row.providerCostNanoUsd,
    toolCalls: row.toolCalls === null ? null : (JSON.parse(row.toolCalls) as Record<string, number>),
    flags: decodeList(row.flags),
  };
}

function decodeList(json: string | null): string[] {
  return json === null ? [] : (JSON.parse(json) as string[]);
}
