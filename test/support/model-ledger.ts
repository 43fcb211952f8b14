import { spendLabel } from '../../src/domain/belonging.ts';
import type { Decision, Settlement } from '../../src/domain/decision.ts';
import type { Balance, Belonging, BudgetAccount, StateView, Volume } from '../../src/domain/state.ts';
import type { Draw } from '../../src/domain/verdict.ts';

interface ModelHold {
  readonly seq: number;
  readonly atMs: number;
  readonly who: Belonging;
  readonly models: readonly string[];
  readonly fingerprint: bigint;
  readonly holdNanoUsd: number;
  readonly draws: Draw;
}

interface ModelSpend {
  readonly atMs: number;
  readonly hold: ModelHold;
  readonly costNanoUsd: number;
  readonly countsVolume: boolean;
}

const DAY_MS = 86_400_000;

/** The ledger with no cleverness: lists of what happened, and every question answered by looking through all of it. */
export class ModelLedger implements StateView {
  holds: ModelHold[] = [];
  admissions: ModelHold[] = [];
  readonly spends: ModelSpend[] = [];
  readonly credits: [workspaceId: number, requests: number][] = [];
  readonly sentries = new Set<string>();

  open(decision: Decision, who: Belonging): void {
    if (!decision.verdict.allow) throw new Error('not an allow');
    const { seq, atMs, candidate, verdict } = decision;
    const { holdNanoUsd, draws } = verdict;
    const hold = { seq, atMs, who, models: candidate.models, fingerprint: candidate.fingerprint, holdNanoUsd, draws };
    this.holds.push(hold);
    this.admissions.push(hold);
  }

  undo(seq: number): void {
    this.holds = this.holds.filter((hold) => hold.seq !== seq);
    this.admissions = this.admissions.filter((hold) => hold.seq !== seq);
  }

  settle(settlement: Settlement, atMs: number): boolean {
    const hold = this.holds.find(({ seq }) => seq === settlement.decisionSeq);
    if (hold === undefined) return false;
    this.holds = this.holds.filter((open) => open !== hold);
    this.spends.push({ atMs, hold, costNanoUsd: settlement.costNanoUsd, countsVolume: settlement.countsVolume });
    return true;
  }

  balance(account: BudgetAccount, who: Belonging, nowMs: number): Balance {
    const counts = (hold: ModelHold): boolean =>
      isSame(account.scope, hold.who, who, account.acrossProjects === true) &&
      (account.matches === null || hold.models.some(account.matches));
    const [fromMs, resetsAtMs] = periodOf(account, nowMs);
    const spends = this.spends.filter(({ atMs, hold, costNanoUsd }) => atMs >= fromMs && counts(hold) && costNanoUsd !== 0);
    return {
      settledNanoUsd: sum(spends.map(({ costNanoUsd }) => costNanoUsd)),
      heldNanoUsd: sum(this.holds.filter(counts).map(({ holdNanoUsd }) => holdNanoUsd)),
      resetsAtMs:
        account.period !== 'rolling'
          ? resetsAtMs
          : spends.length === 0
            ? null
            : Math.min(...spends.map(({ atMs }) => atMs)) + account.windowMs,
    };
  }

  requestsWithin(scope: 'project' | 'key', who: Belonging, windowMs: number, nowMs: number): number {
    return this.admissions.filter((hold) => isSame(scope, hold.who, who) && hold.atMs > nowMs - windowMs).length;
  }

  roomAtMs(scope: 'project' | 'key', who: Belonging, windowMs: number, limit: number, nowMs: number): number {
    const times = [nowMs, ...this.admissions.filter((hold) => isSame(scope, hold.who, who)).map(({ atMs }) => atMs + windowMs)];
    const hasRoom = (atMs: number): boolean => atMs >= nowMs && this.requestsWithin(scope, who, windowMs, atMs) < limit;
    return Math.min(...times.filter(hasRoom));
  }

  spentWithin(scope: 'project' | 'key' | 'sender' | 'user', who: Belonging, windowMs: number, nowMs: number): number {
    const own = this.spends.filter(({ hold, atMs }) => isSame(scope, hold.who, who) && atMs > nowMs - windowMs);
    return sum(own.map(({ costNanoUsd }) => costNanoUsd)) + this.heldNow(scope, who);
  }

  heldNow(scope: 'project' | 'key' | 'sender' | 'user', who: Belonging): number {
    return sum(this.holds.filter((hold) => isSame(scope, hold.who, who)).map(({ holdNanoUsd }) => holdNanoUsd));
  }

  repeatsWithin(fingerprint: bigint, who: Belonging, windowMs: number, nowMs: number): number {
    const own = this.admissions.filter((hold) => isSame('project', hold.who, who) && hold.fingerprint === fingerprint);
    return own.filter(({ atMs }) => atMs > nowMs - windowMs).length;
  }

  inFlight(scope: 'project' | 'key', who: Belonging): number {
    return this.holds.filter((hold) => isSame(scope, hold.who, who)).length;
  }

  volume(who: Belonging, nowMs: number): Volume {
    const own = (hold: ModelHold): boolean => isSame('workspace', hold.who, who);
    const counted = this.spends.filter(({ hold, countsVolume }) => own(hold) && countsVolume);
    const isCredit = ({ draws }: ModelHold): boolean => draws === 'credit';
    const open = this.holds.filter(own);
    const date = new Date(nowMs);
    const monthMs = Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
    const granted = sum(this.credits.filter(([id]) => id === who.workspaceId).map(([, requests]) => requests));
    return {
      usedRequests:
        counted.filter(({ hold, atMs }) => !isCredit(hold) && atMs >= monthMs).length + open.filter((hold) => !isCredit(hold)).length,
      creditsLeft: granted - counted.filter(({ hold }) => isCredit(hold)).length - open.filter(isCredit).length,
    };
  }

  sentry(who: Belonging): 'project' | 'workspace' | null {
    if (this.sentries.has(`project ${who.projectId}`)) return 'project';
    return this.sentries.has(`workspace ${who.workspaceId}`) ? 'workspace' : null;
  }

  /** All that was spent under one label, for the snapshot. */
  totalOf(keyId: number, isTest: boolean): Record<string, number> {
    const totals: Record<string, number> = {};
    for (const { hold, costNanoUsd } of this.spends) {
      if (hold.who.keyId !== keyId || hold.who.environmentTest !== isTest || costNanoUsd === 0) continue;
      totals[spendLabel(hold.models)] = (totals[spendLabel(hold.models)] ?? 0) + costNanoUsd;
    }
    return totals;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function isSame(scope: string, a: Belonging, b: Belonging, isAcrossProjects = false): boolean {
  if (a.environmentTest !== b.environmentTest) return false;
  if (scope === 'key') return a.keyId === b.keyId;
  if (scope === 'workspace') return a.workspaceId === b.workspaceId;
  if (scope === 'project') return a.projectId === b.projectId;
  if (scope === 'sender') return a.projectId === b.projectId && a.sender === b.sender;
  return a.endUser === b.endUser && (isAcrossProjects ? a.workspaceId === b.workspaceId : a.projectId === b.projectId);
}

/** When the period of `nowMs` began, and when it ends. */
function periodOf(account: BudgetAccount, nowMs: number): readonly [number, number | null] {
  const date = new Date(nowMs);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  const sinceMonday = (date.getUTCDay() + 6) % 7;
  const startOfDay = Date.UTC(year, month, day);
  if (account.period === 'day') return [startOfDay, startOfDay + DAY_MS];
  if (account.period === 'week') return [startOfDay - sinceMonday * DAY_MS, startOfDay + (7 - sinceMonday) * DAY_MS];
  if (account.period === 'month') return [Date.UTC(year, month), Date.UTC(year, month + 1)];
  return [account.period === 'total' ? 0 : nowMs - account.windowMs + 1, null];
}
