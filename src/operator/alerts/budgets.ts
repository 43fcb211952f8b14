import { formatUsd, type NanoUsd } from '../../domain/money.ts';
import type { Balance, Belonging } from '../../domain/state.ts';
import type { ProjectEntry } from '../../gateway/directory.ts';
import type { BudgetSection } from '../../policy/compiled.ts';
import { lineOf } from '../find.ts';
import { nobodyIn } from '../workspaces.ts';
import type { AlertEvent, Fact } from './event.ts';
import type { AlertRoom } from './room.ts';
import type { BudgetDenial, Touched } from './witness.ts';

/** From this share on, a refusal says that the budget is used up: under it, one request was too large for it. */
const USED_UP_PERCENT = 80;
const ALL_PERCENT = 100;

/** A budget of somebody, with how it stands. */
interface Standing {
  readonly budget: BudgetSection;
  readonly entry: ProjectEntry;
  readonly who: Belonging;
  /** Public id of whose money it is, and the key or user where it is one's. */
  readonly owner: string;
  readonly person: Readonly<Record<string, Fact>>;
  readonly balance: Balance;
}

/** Whose balances to look at: everybody's that can be listed, or those that have moved. */
export interface BudgetLook {
  readonly touched: readonly Touched[];
  readonly denials: readonly BudgetDenial[];
  /** Adds every project and key. End users are only known while they call. */
  readonly everybody: boolean;
}

/** Every threshold of these percents that a balance has passed. Only settled money counts: holds may come back. */
export function budgetEvents(room: AlertRoom, look: BudgetLook, thresholds: readonly number[]): AlertEvent[] {
  if (thresholds.length === 0) return [];
  const nowMs = room.engine.nowMs();
  const refusing = new Set<string>();
  const standings = new Map<string, Standing>();
  const all = [...look.touched, ...look.denials, ...(look.everybody ? everybody(room) : [])];
  for (const touched of all) for (const standing of standingsOf(room, touched, nowMs)) standings.set(periodOf(standing, nowMs), standing);
  for (const denial of look.denials) {
    const fullest = fullestOf(
      standingsOf(room, denial, nowMs).filter(({ budget }) => budget.scope === denial.scope && budget.mode === 'enforce'),
    );
    if (fullest && hasReached(fullest, USED_UP_PERCENT)) refusing.add(periodOf(fullest, nowMs));
  }
  return [...standings].flatMap(([period, standing]) =>
    thresholds
      .filter((percent) => hasReached(standing, percent) || (percent === ALL_PERCENT && refusing.has(period)))
      .map((percent) => eventOf(standing, percent, period, refusing.has(period))),
  );
}

function everybody({ directory, registry }: AlertRoom): Touched[] {
  const projects = [...directory.projects()].map(({ project, workspace }) => ({ workspaceId: workspace.id, projectId: project.id }));
  const keys = [...registry.keys.values()].filter((key) => key.environment === 'live' && key.lineageId === null);
  return [
    ...projects.map((project) => ({ ...project, keyId: 0, endUser: null })),
    ...keys.flatMap((key) => {
      const entry = directory.project(key.projectId);
      return entry ? [{ workspaceId: entry.workspace.id, projectId: key.projectId, keyId: lineOf(key), endUser: null }] : [];
    }),
  ];
}

/** The budgets that this traffic counts in. */
function standingsOf(room: AlertRoom, touched: Touched, nowMs: number): Standing[] {
  const entry = room.directory.project(touched.projectId);
  if (entry === null) return [];
  return entry.policy.budgets.flatMap((budget) => {
    const { account } = budget;
    if (account === null || budget.limitNanoUsd === 0) return [];
    const whose = whoseOf(room, budget, touched, entry);
    return whose === null ? [] : [{ budget, entry, ...whose, balance: room.state.balance(account, whose.who, nowMs) }];
  });
}

function whoseOf(
  room: AlertRoom,
  { scope, account }: BudgetSection,
  { workspaceId, projectId, keyId, endUser }: Touched,
  { project, workspace }: ProjectEntry,
): Pick<Standing, 'who' | 'owner' | 'person'> | null {
  const who: Belonging = { ...nobodyIn(workspaceId, projectId, keyId), endUser };
  switch (scope) {
    case 'workspace':
      return { who, owner: workspace.publicId, person: {} };
    case 'project':
      return { who, owner: project.publicId, person: {} };
    case 'key': {
      const key = room.registry.keys.get(keyId);
      return key ? { who, owner: key.publicId, person: { key_id: key.publicId, key: key.name } } : null;
    }
    default: {
      const owner = account?.acrossProjects ? workspace.publicId : project.publicId;
      return endUser === null ? null : { who, owner: `${owner} ${endUser}`, person: { end_user: endUser } };
    }
  }
}

function fullestOf(standings: readonly Standing[]): Standing | null {
  const roomOf = ({ budget, balance }: Standing): NanoUsd => budget.limitNanoUsd - balance.settledNanoUsd - balance.heldNanoUsd;
  return standings.toSorted((a, b) => roomOf(a) - roomOf(b))[0] ?? null;
}

function hasReached({ budget, balance }: Standing, percent: number): boolean {
  return BigInt(balance.settledNanoUsd) * 100n >= BigInt(budget.limitNanoUsd) * BigInt(percent);
}

/**
 * What makes a budget in its period one thing: a calendar period by its end, a rolling one by stretches of its length, since it has
 * no beginning. Another limit is another budget: whoever raised it wants to hear of the new one.
 */
function periodOf({ budget, owner, balance }: Standing, nowMs: number): string {
  const { account, rule, limitNanoUsd } = budget;
  const windowMs = account?.windowMs ?? 0;
  const period = windowMs > 0 ? `${windowMs}:${Math.floor(nowMs / windowMs)}` : String(balance.resetsAtMs ?? 'total');
  return `budget ${owner} ${rule} ${limitNanoUsd} ${period}`;
}

function eventOf(standing: Standing, percent: number, period: string, refusing: boolean): AlertEvent {
  const { budget, balance, entry, owner, person } = standing;
  const { limitNanoUsd, rule, scope, mode } = budget;
  const isOfWorkspace = scope === 'workspace' || budget.account?.acrossProjects === true;
  return {
    type: 'budget.threshold',
    subject: owner.split(' ')[0]!,
    workspaceId: entry.workspace.id,
    projectId: isOfWorkspace ? null : entry.project.id,
    dedupeKey: `${period} ${percent}`,
    happenedAtMs: null,
    facts: {
      threshold_percent: percent,
      rule,
      scope,
      mode,
      period: budget.period,
      limit_usd: formatUsd(limitNanoUsd),
      spent_usd: formatUsd(balance.settledNanoUsd),
      held_usd: formatUsd(balance.heldNanoUsd),
      remaining_usd: formatUsd(Math.max(0, limitNanoUsd - balance.settledNanoUsd - balance.heldNanoUsd)),
      resets_at: balance.resetsAtMs === null ? null : new Date(balance.resetsAtMs).toISOString(),
      refusing: refusing && percent === ALL_PERCENT,
      ...person,
    },
  };
}
