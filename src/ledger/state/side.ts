import type { Belonging, BudgetAccount } from '../../domain/state.ts';
import { Crowd } from './crowd.ts';
import { LoopTable } from './loop-table.ts';
import type { RestoredSpend } from './restore.ts';
import { SpendBook } from './spend-book.ts';
import { TimeRing } from './time-ring.ts';
import { VolumeBook } from './volume-book.ts';

/** How much the state may remember of what clients invent. */
export interface StateCapacities {
  /** End users over all projects; counted once for the project and once for the workspace. */
  readonly users: number;
  readonly senders: number;
  /** Admissions that the loop guard remembers, for each project. */
  readonly payloads: number;
}

/** Requests without an end user share one: leaving the name out must not pass a budget. */
const NOBODY = '';

/** The scopes that spend is kept by. */
export type SpendScope = 'key' | 'project' | 'workspace' | 'user' | 'sender';

/** Everything that is counted for one environment: live and test traffic have one each and never meet. */
export class Side {
  readonly keys = new Map<number, SpendBook>();
  readonly projects = new Map<number, SpendBook>();
  readonly workspaces = new Map<number, SpendBook>();
  readonly users: Crowd;
  readonly workspaceUsers: Crowd;
  readonly senders: Crowd;
  readonly keyTimes = new Map<number, TimeRing>();
  readonly projectTimes = new Map<number, TimeRing>();
  readonly loops = new Map<number, LoopTable>();
  readonly volumes = new Map<number, VolumeBook>();
  /** What all requests in flight hold, huge holds apart. */
  heldNanoUsd = 0;

  constructor(readonly capacities: StateCapacities) {
    this.users = new Crowd(capacities.users);
    this.workspaceUsers = new Crowd(capacities.users);
    this.senders = new Crowd(capacities.senders);
  }

  /** The book of a scope, or null when nothing was counted in it yet. */
  book(scope: SpendScope, who: Belonging, isAcrossProjects = false): SpendBook | null {
    if (scope === 'key') return this.keys.get(who.keyId) ?? null;
    if (scope === 'project') return this.projects.get(who.projectId) ?? null;
    if (scope === 'workspace') return this.workspaces.get(who.workspaceId) ?? null;
    if (scope === 'sender') return this.senders.find(who.projectId, who.sender ?? NOBODY);
    return isAcrossProjects
      ? this.workspaceUsers.find(who.workspaceId, who.endUser ?? NOBODY)
      : this.users.find(who.projectId, who.endUser ?? NOBODY);
  }

  /** The book of an account, or null. */
  bookOf(account: BudgetAccount, who: Belonging): SpendBook | null {
    if (account.scope === 'user' && account.period === 'total') this.rememberUsers();
    return this.book(account.scope, who, account.acrossProjects === true);
  }

  /** From now on no end user who has spent is forgotten. */
  rememberUsers(): void {
    this.users.rememberTotals();
    this.workspaceUsers.rememberTotals();
  }

  /** Every book that a request is counted in. */
  booksOf(who: Belonging, nowMs: number): readonly SpendBook[] {
    const user = who.endUser ?? NOBODY;
    return [
      made(this.keys, who.keyId, newBook),
      made(this.projects, who.projectId, newBook),
      made(this.workspaces, who.workspaceId, newBook),
      this.users.findOrMake(who.projectId, user, nowMs),
      this.workspaceUsers.findOrMake(who.workspaceId, user, nowMs),
      this.senders.findOrMake(who.projectId, who.sender ?? NOBODY, nowMs),
    ];
  }

  /** Adds to what key, project and workspace spent. */
  restoreKey(spend: RestoredSpend): void {
    const { keyId, projectId, workspaceId } = spend.who;
    made(this.keys, keyId, newBook).restore(spend);
    made(this.projects, projectId, newBook).restore(spend);
    made(this.workspaces, workspaceId, newBook).restore(spend);
  }

  /** Adds to what an end user spent. */
  restoreUser(spend: RestoredSpend): void {
    const { endUser, projectId, workspaceId } = spend.who;
    this.users.restore(projectId, endUser ?? NOBODY, spend);
    this.workspaceUsers.restore(workspaceId, endUser ?? NOBODY, spend);
  }

  /** Adds to what a sender spent. */
  restoreSender(spend: RestoredSpend): void {
    this.senders.restore(spend.who.projectId, spend.who.sender ?? NOBODY, spend);
  }

  times(scope: 'project' | 'key', who: Belonging): TimeRing | null {
    return (scope === 'key' ? this.keyTimes.get(who.keyId) : this.projectTimes.get(who.projectId)) ?? null;
  }

  /** Counts an admission in the windows of its key and project. */
  countAdmission(who: Belonging, fingerprint: bigint, atMs: number): void {
    made(this.keyTimes, who.keyId, newRing).push(atMs);
    made(this.projectTimes, who.projectId, newRing).push(atMs);
    let loops = this.loops.get(who.projectId);
    if (loops === undefined) this.loops.set(who.projectId, (loops = new LoopTable(this.capacities.payloads)));
    loops.add(fingerprint, atMs);
  }

  /** Takes an admission out of the windows. */
  uncountAdmission(who: Belonging, fingerprint: bigint, atMs: number): void {
    this.keyTimes.get(who.keyId)?.remove(atMs);
    this.projectTimes.get(who.projectId)?.remove(atMs);
    this.loops.get(who.projectId)?.remove(fingerprint, atMs);
  }
}

const newBook = (): SpendBook => new SpendBook();
const newRing = (): TimeRing => new TimeRing();

function made<T>(map: Map<number, T>, id: number, make: () => T): T {
  let value = map.get(id);
  if (value === undefined) map.set(id, (value = make()));
  return value;
}
