import { REASONS, type Reason } from '../domain/errors.ts';
import type { NanoUsd } from '../domain/money.ts';
import type { Connection, Project, Workspace } from '../domain/project.ts';
import type { Belonging, Volume } from '../domain/state.ts';
import type { ProjectEntry } from '../gateway/directory.ts';
import type { UsageLine } from '../ledger/store.ts';
import type { BudgetSection, Mode } from '../policy/compiled.ts';
import { lineOf, workspacesIn } from './find.ts';
import { restoredAtMs } from './confirm-restore.ts';
import { isClockConfirmed } from './ledger.ts';
import type { Office } from './office.ts';
import { alertsStanding, type AlertsStanding } from './alerts.ts';
import type { ProviderStanding } from './provider-health.ts';
import { covers, scopeFilter, type Scope } from './scope.ts';
import { nobodyIn, volumeNow } from './workspaces.ts';

const DAY_MS = 86_400_000;

/** A budget and how much of it is used right now. */
export interface BudgetStatus {
  readonly rule: string;
  readonly mode: Mode;
  /** For a budget of keys: which one. */
  readonly keyPublicId: string | null;
  readonly limitNanoUsd: NanoUsd;
  readonly settledNanoUsd: NanoUsd;
  readonly heldNanoUsd: NanoUsd;
  /** Milliseconds since 1970, null for a total. */
  readonly resetsAtMs: number | null;
}

/** What happened since midnight UTC, of live keys. */
export interface Today {
  readonly requests: number;
  readonly denied: number;
  readonly costNanoUsd: NanoUsd;
  readonly denials: ReadonlyMap<Reason, number>;
}

export interface ProjectStatus {
  readonly project: Project;
  /** Who switched Sentry Mode on, or null. */
  readonly sentry: 'project' | 'workspace' | null;
  readonly today: Today;
  readonly budgets: readonly BudgetStatus[];
}

export interface WorkspaceStatus {
  readonly workspace: Workspace;
  readonly sentry: boolean;
  readonly volume: Volume;
  readonly budgets: readonly BudgetStatus[];
}

/** A connection, and how it did since the process started; null when nothing was sent to it. */
export interface ProviderStatus {
  readonly connection: Connection;
  readonly project: Project;
  readonly standing: ProviderStanding | null;
}

/** How things stand in a scope, for one screen. */
export interface Status {
  readonly atMs: number;
  readonly ledgerAvailable: boolean;
  readonly clockConfirmed: boolean;
  /** When a backup was restored that nobody has confirmed, or null. */
  readonly restoredAtMs: number | null;
  readonly inFlight: number;
  readonly priceVersion: number;
  /** The day of the prices in the price list. */
  readonly pricesAsOf: string;
  readonly providers: readonly ProviderStatus[];
  /** Of the whole installation; null for who sees one workspace. */
  readonly alerts: AlertsStanding | null;
  readonly workspaces: readonly WorkspaceStatus[];
  readonly projects: readonly ProjectStatus[];
  /** Requests of test keys today, of all projects of the scope. */
  readonly testRequestsToday: number;
}

/** Reads switches and balances from memory, and today's counts from the ledger. */
export async function statusNow(office: Office, scope: Scope): Promise<Status> {
  const nowMs = office.engine.nowMs();
  const lines = await office.store.usage({
    groupBy: ['project', 'reason', 'environment'],
    fromMs: nowMs - (nowMs % DAY_MS),
    ...scopeFilter(scope),
  });
  const live = lines.filter(({ environment }) => environment === 'live');
  const test = lines.filter(({ environment }) => environment === 'test');
  const entries = [...office.directory.projects()].filter(({ workspace }) => covers(scope, workspace.id));
  return {
    atMs: nowMs,
    ledgerAvailable: office.engine.available,
    clockConfirmed: isClockConfirmed(office),
    restoredAtMs: restoredAtMs(office.registry),
    inFlight: office.inFlight.count((attempt) => covers(scope, attempt.workspaceId)),
    priceVersion: office.prices.current.version,
    pricesAsOf: office.prices.list.version.asOf,
    providers: entries.flatMap((entry) => providerStatus(office, entry)),
    alerts: scope.workspaceId === null ? await alertsStanding(office) : null,
    workspaces: workspacesIn(office.registry, scope).map((workspace) => workspaceStatus(office, workspace, entries, nowMs)),
    projects: entries.map((entry) => projectStatus(office, entry, live, nowMs)),
    testRequestsToday: test.reduce((sum, { requests }) => sum + requests, 0),
  };
}

function providerStatus({ health }: Office, { project, connections }: ProjectEntry): ProviderStatus[] {
  return connections.map((connection) => ({ connection, project, standing: health.of(connection.id) }));
}

function workspaceStatus(office: Office, workspace: Workspace, entries: readonly ProjectEntry[], nowMs: number): WorkspaceStatus {
  // Every project carries the budgets of its workspace; one of them says them all.
  const budgets = entries.find((entry) => entry.workspace.id === workspace.id)?.policy.budgets ?? [];
  const who = nobodyIn(workspace.id, 0, 0);
  return {
    workspace,
    sentry: office.registry.sentry({ workspaceId: workspace.id }),
    volume: volumeNow(office, workspace),
    budgets: budgets.filter(({ scope }) => scope === 'workspace').flatMap((budget) => budgetStatus(office, budget, who, null, nowMs)),
  };
}

function projectStatus(
  office: Office,
  { project, workspace, policy }: ProjectEntry,
  lines: readonly UsageLine[],
  nowMs: number,
): ProjectStatus {
  const who = nobodyIn(workspace.id, project.id, 0);
  const budgets = policy.budgets.filter(({ scope }) => scope === 'project');
  const keyBudgets = policy.budgets.filter(({ scope }) => scope === 'key');
  return {
    project,
    sentry: office.state.sentry(who),
    today: todayOf(lines.filter(({ projectId }) => projectId === project.id)),
    budgets: [
      ...budgets.flatMap((budget) => budgetStatus(office, budget, who, null, nowMs)),
      ...keyBudgets.flatMap((budget) => ofKeys(office, budget, project, workspace.id, nowMs)),
    ],
  };
}

/** Only keys that have spent or hold something: a project may have thousands. */
function ofKeys(office: Office, budget: BudgetSection, project: Project, workspaceId: number, nowMs: number): BudgetStatus[] {
  const lines = [...office.registry.keys.values()].filter(
    (key) => key.projectId === project.id && key.environment === 'live' && key.lineageId === null,
  );
  return lines
    .flatMap((key) => budgetStatus(office, budget, nobodyIn(workspaceId, project.id, lineOf(key)), key.publicId, nowMs))
    .filter(({ settledNanoUsd, heldNanoUsd }) => settledNanoUsd + heldNanoUsd > 0);
}

function budgetStatus(office: Office, budget: BudgetSection, who: Belonging, keyPublicId: string | null, nowMs: number): BudgetStatus[] {
  if (budget.account === null) return [];
  const { rule, mode, limitNanoUsd } = budget;
  return [{ rule, mode, keyPublicId, limitNanoUsd, ...office.state.balance(budget.account, who, nowMs) }];
}

function todayOf(lines: readonly UsageLine[]): Today {
  const denials = new Map<Reason, number>();
  let [requests, denied, costNanoUsd] = [0, 0, 0];
  for (const line of lines) {
    requests += line.requests;
    costNanoUsd += line.costNanoUsd;
    if (line.reason === undefined || !Object.hasOwn(REASONS, line.reason)) continue;
    denied += line.requests;
    denials.set(line.reason as Reason, line.requests);
  }
  return { requests, denied, costNanoUsd, denials };
}
