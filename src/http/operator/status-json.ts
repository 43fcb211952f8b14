import { formatUsd } from '../../domain/money.ts';
import type { Registry } from '../../operator/registry.ts';
import type { BudgetStatus, ProjectStatus, ProviderStatus, Status, WorkspaceStatus } from '../../operator/status.ts';
import { iso, isoOrNull, projectJson } from '../render.ts';
import type { BudgetStatusJson, StatusJson } from '../schemas/operator.ts';

/** How things stand, as JSON. */
export function statusJson(registry: Registry, status: Status): StatusJson {
  return {
    at: iso(status.atMs),
    ledger: { available: status.ledgerAvailable, clock_confirmed: status.clockConfirmed, restored_at: isoOrNull(status.restoredAtMs) },
    requests_in_flight: status.inFlight,
    price_version: status.priceVersion,
    test_requests_today: status.testRequestsToday,
    prices_as_of: status.pricesAsOf,
    providers: status.providers.map(providerStatus),
    alerts: status.alerts && { alerts: status.alerts.alerts, pending: status.alerts.pending, failed: status.alerts.failed },
    workspaces: status.workspaces.map(workspaceStatus),
    projects: status.projects.map((project) => projectStatus(registry, project)),
  };
}

function providerStatus({ connection, project, standing }: ProviderStatus): StatusJson['providers'][number] {
  const { publicId: id, name } = connection;
  const last = standing?.lastError ?? null;
  return {
    id,
    name,
    project: project.name,
    attempts: standing?.attempts ?? 0,
    ok: standing?.ok ?? 0,
    last_error: last && { kind: last.kind, at: iso(last.atMs) },
    p50_first_byte_ms: standing?.p50FirstByteMs == null ? null : Math.round(standing.p50FirstByteMs),
  };
}

function workspaceStatus({ workspace, sentry, volume, budgets }: WorkspaceStatus) {
  return {
    id: workspace.publicId,
    name: workspace.name,
    sentry,
    plan: workspace.plan,
    included_requests: workspace.includedRequests,
    used_requests: volume.usedRequests,
    credits_left: volume.creditsLeft,
    budgets: budgets.map(budgetJson),
  };
}

function projectStatus(registry: Registry, { project, sentry, today, budgets }: ProjectStatus) {
  const { id, name, workspace_id } = projectJson(registry, project);
  return {
    id,
    name,
    workspace_id,
    sentry,
    requests_today: today.requests,
    denied_today: today.denied,
    denials_today: Object.fromEntries(today.denials),
    cost_today_usd: formatUsd(today.costNanoUsd),
    budgets: budgets.map(budgetJson),
  };
}

function budgetJson(budget: BudgetStatus): BudgetStatusJson {
  const { rule, mode, limitNanoUsd, settledNanoUsd, heldNanoUsd } = budget;
  return {
    rule,
    mode,
    key_id: budget.keyPublicId,
    limit_usd: formatUsd(limitNanoUsd),
    spent_usd: formatUsd(settledNanoUsd),
    held_usd: formatUsd(heldNanoUsd),
    remaining_usd: formatUsd(Math.max(0, limitNanoUsd - settledNanoUsd - heldNanoUsd)),
    resets_at: isoOrNull(budget.resetsAtMs),
  };
}
