import { decisionId } from '../domain/ids.ts';
import { formatUsd } from '../domain/money.ts';
import type { ApiKey, Project, Workspace } from '../domain/project.ts';
import type { Finding } from '../domain/verdict.ts';
import type { CreditEntry, Operator, RecordedDecision, StoredAuditEvent, StoredConnection, UsageLine } from '../operator/outcome.ts';
import type { Registry } from '../operator/registry.ts';
import type {
  CreditGrantJson,
  DecisionJson,
  KeyJson,
  OperatorJson,
  ProjectJson,
  ProviderJson,
  SettlementJson,
  UsageLineJson,
  WorkspaceJson,
} from './schemas/operator.ts';

/** What operators are shown: our words as JSON. No secret has a way in here. */

export function workspaceJson(workspace: Workspace): WorkspaceJson {
  return {
    id: workspace.publicId,
    name: workspace.name,
    plan: workspace.plan,
    included_requests: workspace.includedRequests,
    created_at: iso(workspace.createdAtMs),
  };
}

export function projectJson(registry: Registry, project: Project): ProjectJson {
  return {
    id: project.publicId,
    workspace_id: workspaceIdOf(registry, project.workspaceId),
    name: project.name,
    created_at: iso(project.createdAtMs),
  };
}

export function keyJson(registry: Registry, key: ApiKey, lastUsedAtMs: number | null = null): KeyJson {
  return {
    id: key.publicId,
    project_id: projectIdOf(registry, key.projectId),
    name: key.name,
    environment: key.environment,
    prefix: key.prefix,
    created_at: iso(key.createdAtMs),
    expires_at: isoOrNull(key.expiresAtMs),
    revoked_at: isoOrNull(key.revokedAtMs),
    last_used_at: isoOrNull(lastUsedAtMs),
  };
}

const CREDENTIALS = { encrypted: 'stored', environment: 'environment', none: 'none' } as const;

export function providerJson(registry: Registry, { connection, secret }: StoredConnection): ProviderJson {
  return {
    id: connection.publicId,
    project_id: projectIdOf(registry, connection.projectId),
    name: connection.name,
    kind: connection.kind,
    base_url: connection.baseUrl,
    models: [...connection.models],
    credential: CREDENTIALS[secret.kind],
    api_key_env: secret.kind === 'environment' ? secret.name : null,
    created_at: iso(connection.createdAtMs),
  };
}

export function decisionJson(registry: Registry, recorded: RecordedDecision): DecisionJson {
  const { decision, settlement } = recorded;
  const { candidate, verdict } = decision;
  return {
    id: decisionId(decision.seq, decision.atMs),
    at: iso(decision.atMs),
    workspace_id: workspaceIdOf(registry, candidate.workspaceId),
    project_id: projectIdOf(registry, candidate.projectId),
    key_id: keyIdOf(registry, candidate.keyId),
    environment: candidate.environment,
    route: candidate.route,
    model: candidate.model,
    requested_model: candidate.requestedModel,
    stream: candidate.stream,
    decision: verdict.allow ? 'allow' : 'deny',
    reason: verdict.allow ? null : verdict.finding.reason,
    finding: verdict.allow ? null : findingJson(verdict.finding),
    observed: verdict.observed.map(findingJson),
    count: recorded.count,
    policy_version: decision.policyVersion,
    price_version: candidate.quote.priceVersion,
    ip: candidate.ip,
    country: candidate.country,
    end_user: candidate.endUser,
    hold_usd: formatUsd(verdict.allow ? verdict.holdNanoUsd : 0),
    output_cap: verdict.allow ? verdict.outputCap : null,
    input_tokens_bound: candidate.quote.inputTokenBound,
    settlement: settlement === null ? null : settlementJson(settlement),
    correction: recorded.correction === undefined ? null : correctionJson(recorded.correction),
  };
}

function settlementJson(settlement: NonNullable<RecordedDecision['settlement']>): SettlementJson {
  const { usage } = settlement;
  const providerCost = usage?.providerCostNanoUsd ?? null;
  return {
    outcome: settlement.outcome,
    basis: settlement.basis,
    cost_usd: formatUsd(settlement.costNanoUsd),
    provider_cost_usd: providerCost === null ? null : formatUsd(providerCost),
    input_tokens: usage?.inputTokens ?? null,
    cached_input_tokens: usage?.cachedInputTokens ?? null,
    output_tokens: usage?.outputTokens ?? null,
    reasoning_tokens: usage?.reasoningTokens ?? null,
    upstream_status: settlement.upstreamStatus,
    first_byte_ms: settlement.firstByteMs === null ? null : Math.round(settlement.firstByteMs),
    duration_ms: Math.round(settlement.durationMs),
    overrun: settlement.overrun,
    flags: [...(usage?.flags ?? [])],
  };
}

function correctionJson({ costNanoUsd, note, author, atMs }: NonNullable<RecordedDecision['correction']>) {
  return { cost_usd: formatUsd(costNanoUsd), note, author, at: iso(atMs) };
}

export function creditJson({ requests, note, author, atMs }: CreditEntry): CreditGrantJson {
  return { requests, note, author, at: iso(atMs) };
}

export function operatorJson(registry: Registry, operator: Operator): OperatorJson {
  const { publicId, name, role, workspaceId, createdAtMs, expiresAtMs } = operator;
  return {
    id: publicId,
    name,
    role,
    workspace_id: workspaceId === null ? null : workspaceIdOf(registry, workspaceId),
    created_at: iso(createdAtMs),
    expires_at: isoOrNull(expiresAtMs),
  };
}

export function auditJson({ publicId, atMs, actor, action, subject, ip, detail }: StoredAuditEvent) {
  return { id: publicId, at: iso(atMs), actor, action, subject, ip, detail };
}

export function usageJson(registry: Registry, line: UsageLine): UsageLineJson {
  const { dayMs, hourMs, model, projectId, keyId, reason, country, environment } = line;
  return {
    ...(dayMs === undefined ? {} : { day: iso(dayMs).slice(0, 10) }),
    ...(hourMs === undefined ? {} : { hour: iso(hourMs) }),
    ...(model === undefined ? {} : { model }),
    ...(projectId === undefined ? {} : { project_id: projectIdOf(registry, projectId) }),
    ...(keyId === undefined ? {} : { key_id: keyIdOf(registry, keyId) }),
    ...(reason === undefined ? {} : { reason }),
    ...(country === undefined ? {} : { country: country === '' ? null : country }),
    ...(environment === undefined ? {} : { environment }),
    requests: line.requests,
    input_tokens: line.inputTokens,
    cached_input_tokens: line.cachedInputTokens,
    output_tokens: line.outputTokens,
    cost_usd: formatUsd(line.costNanoUsd),
  };
}

function findingJson({ control, rule, limit, observed, remedy }: Finding) {
  return { control, rule, limit, observed, remedy };
}

/** A list as every list of the operator API is: the cursor of the next page, or null at the end. */
export function listJson<Item>(
  items: readonly Item[],
  nextCursor: number | null = null,
): { data: readonly Item[]; next_cursor: string | null } {
  return { data: items, next_cursor: nextCursor === null ? null : String(nextCursor) };
}

function workspaceIdOf(registry: Registry, id: number): string {
  return registry.workspaces.get(id)?.publicId ?? String(id);
}

function projectIdOf(registry: Registry, id: number): string {
  return registry.projects.get(id)?.publicId ?? String(id);
}

function keyIdOf(registry: Registry, id: number): string {
  return registry.keys.get(id)?.publicId ?? String(id);
}

export function iso(atMs: number): string {
  return new Date(atMs).toISOString();
}

export function isoOrNull(atMs: number | null): string | null {
  return atMs === null ? null : iso(atMs);
}
