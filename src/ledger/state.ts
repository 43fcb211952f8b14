import { spendLabel } from '../domain/belonging.ts';
import type { Environment } from '../domain/candidate.ts';
import type { Decision, Settlement } from '../domain/decision.ts';
import { MAX_NANO_USD, type NanoUsd } from '../domain/money.ts';
import type { Balance, Belonging, BudgetAccount, StateView, Volume } from '../domain/state.ts';
import type { LedgerMemory } from './memory.ts';
import type { Owner } from './store.ts';
import { periodEndMs } from './state/periods.ts';
import type { OpenHold, RestoredAdmission, RestoredHold, RestoredSpend, RestoredVolume } from './state/restore.ts';
import { Side, type StateCapacities } from './state/side.ts';
import { snapshotOf, type StateSnapshot } from './state/snapshot.ts';
import type { SpendBook } from './state/spend-book.ts';
import { VolumeBook } from './state/volume-book.ts';

/** Holds of more than this (70,368 USD) are counted instead of added, so that a sum of holds always stays exact. */
const HUGE_NANO_USD: NanoUsd = 2 ** 46;

const DEFAULT_CAPACITIES: StateCapacities = { users: 50_000, senders: 50_000, payloads: 32_768 };

/** A hold and where it was placed, so that it is taken away at the very same places. */
interface PlacedHold extends OpenHold {
  readonly isHuge: boolean;
  readonly books: readonly SpendBook[];
  readonly labels: readonly number[];
}

/**
 * All that policy reads, in memory: balances, windows, repeats, volume and switches, for live and test traffic apart.
 * One synchronous call changes all of it or nothing. Times are ledger time in milliseconds and never go back.
 */
export class LedgerState implements StateView, LedgerMemory {
  readonly #live: Side;
  readonly #test: Side;
  readonly #open = new Map<number, PlacedHold>();
  readonly #sentryProjects = new Set<number>();
  readonly #sentryWorkspaces = new Set<number>();
  readonly #credits = new Map<number, number>();
  #sendersSinceMs = Number.NEGATIVE_INFINITY;

  constructor(capacities: Partial<StateCapacities> = {}) {
    this.#live = new Side({ ...DEFAULT_CAPACITIES, ...capacities });
    this.#test = new Side({ ...DEFAULT_CAPACITIES, ...capacities });
  }

  /** Places the hold of an allowed decision and counts it in every window. Throws for a denial and for a seq that is open. */
  open(decision: Decision, who: Belonging): void {
    const { candidate, verdict, seq, atMs } = decision;
    if (!verdict.allow) throw new Error('only an allowed decision has a hold');
    const { holdNanoUsd, draws } = verdict;
    this.restoreOpen({ seq, atMs, who, label: spendLabel(candidate.models), fingerprint: candidate.fingerprint, holdNanoUsd, draws });
    this.#side(who).countAdmission(who, candidate.fingerprint, atMs);
  }

  /** Takes an admission back whose commit failed, as if it had never been. False when the seq is not open. */
  undo(seq: number): boolean {
    const hold = this.#release(seq);
    if (hold === null) return false;
    const side = this.#side(hold.who);
    side.uncountAdmission(hold.who, hold.fingerprint, hold.atMs);
    this.#volume(side, hold.who.workspaceId).close(hold.draws, false, hold.atMs);
    return true;
  }

  /** Replaces a hold by what was used, at `atMs`. False when the seq is not open: it was settled before, and nothing changes. */
  settle(settlement: Settlement, atMs: number): boolean {
    const hold = this.#release(settlement.decisionSeq);
    if (hold === null) return false;
    const { books, labels } = hold;
    for (let index = 0; index < books.length; index++) books[index]!.spend(labels[index]!, settlement.costNanoUsd, atMs);
    this.#volume(this.#side(hold.who), hold.who.workspaceId).close(hold.draws, settlement.countsVolume, atMs);
    return true;
  }

  /**
   * Corrects what a settlement cost: `deltaNanoUsd` is new cost less old cost, `atMs` is when the settlement was made.
   * It counts in the periods of that time, because a correction frees what was wrongly taken and nothing else.
   */
  correct(correction: RestoredSpend): void {
    this.restoreSpend(correction);
    this.restoreUserSpend(correction);
    // What a start did not count for a sender cannot be given back to it.
    if (correction.costNanoUsd > 0 || correction.atMs > this.#sendersSinceMs) this.restoreSenderSpend(correction);
  }

  /** Turns Sentry Mode of a project or workspace. */
  setSentry(owner: Owner, enabled: boolean): void {
    const [switches, id] = 'projectId' in owner ? [this.#sentryProjects, owner.projectId] : [this.#sentryWorkspaces, owner.workspaceId];
    if (enabled) switches.add(id);
    else switches.delete(id);
  }

  /** Adds credits to a workspace, or takes some back with a count below 0. Test traffic draws on a copy of its own. */
  grantCredits(workspaceId: number, requests: number): void {
    for (const side of [this.#live, this.#test]) this.#volume(side, workspaceId).grant(requests);
    this.#credits.set(workspaceId, (this.#credits.get(workspaceId) ?? 0) + requests);
  }

  balance(account: BudgetAccount, who: Belonging, nowMs: number): Balance {
    const book = this.#side(who).bookOf(account, who);
    if (book !== null) return book.balance(account, nowMs);
    const isCalendar = account.period !== 'total' && account.period !== 'rolling';
    return { settledNanoUsd: 0, heldNanoUsd: 0, resetsAtMs: isCalendar ? periodEndMs(account.period, nowMs) : null };
  }

  requestsWithin(scope: 'project' | 'key', who: Belonging, windowMs: number, nowMs: number): number {
    return this.#side(who).times(scope, who)?.countWithin(windowMs, nowMs) ?? 0;
  }

  roomAtMs(scope: 'project' | 'key', who: Belonging, windowMs: number, limit: number, nowMs: number): number {
    return this.#side(who).times(scope, who)?.roomAtMs(windowMs, Math.max(1, limit), nowMs) ?? nowMs;
  }

  spentWithin(scope: 'project' | 'key' | 'sender' | 'user', who: Belonging, windowMs: number, nowMs: number): NanoUsd {
    return this.#side(who).book(scope, who)?.spentWithin(windowMs, nowMs) ?? 0;
  }

  heldNow(scope: 'project' | 'key' | 'sender' | 'user', who: Belonging): NanoUsd {
    return this.#side(who).book(scope, who)?.heldNanoUsd ?? 0;
  }

  repeatsWithin(fingerprint: bigint, who: Belonging, windowMs: number, nowMs: number): number {
    return this.#side(who).loops.get(who.projectId)?.countWithin(fingerprint, windowMs, nowMs) ?? 0;
  }

  inFlight(scope: 'project' | 'key', who: Belonging): number {
    return this.#side(who).book(scope, who)?.inFlight ?? 0;
  }

  volume(who: Belonging, nowMs: number): Volume {
    return this.#volume(this.#side(who), who.workspaceId).read(nowMs);
  }

  sentry(who: Belonging): 'project' | 'workspace' | null {
    if (this.#sentryProjects.has(who.projectId)) return 'project';
    return this.#sentryWorkspaces.has(who.workspaceId) ? 'workspace' : null;
  }

  /** Start-up: spend of key, project and workspace, for instance one hour of them. Older than the log's time it only counts in totals. */
  restoreSpend(spend: RestoredSpend): void {
    this.#side(spend.who).restoreKey(spend);
  }

  /** Start-up: how many end users live or test traffic tells apart. */
  get userCapacity(): number {
    return this.#live.capacities.users;
  }

  /** Start-up: a budget over all time counts end users, so none who has spent may be forgotten. */
  rememberUsers(): void {
    for (const side of [this.#live, this.#test]) side.rememberUsers();
  }

  /** Start-up: spend of an end user. */
  restoreUserSpend(spend: RestoredSpend): void {
    this.#side(spend.who).restoreUser(spend);
  }

  /** Start-up: up to this moment not all that senders spent is known. */
  sendersKnownAfter(atMs: number): void {
    this.#sendersSinceMs = atMs;
  }

  /** Start-up: spend of a sender. */
  restoreSenderSpend(spend: RestoredSpend): void {
    this.#side(spend.who).restoreSender(spend);
  }

  /** One settlement with its exact time, for all whose spend it is. Must not be part of what was restored of any of them. */
  restoreSettled(spend: RestoredSpend): void {
    this.restoreSpend(spend);
    this.restoreUserSpend(spend);
    this.restoreSenderSpend(spend);
  }

  /** Start-up: an admission of the last hour, in the order in which they were made. */
  restoreAdmitted(admission: RestoredAdmission): void {
    this.#side(admission.who).countAdmission(admission.who, admission.fingerprint, admission.atMs);
  }

  /** Start-up: places an open hold without counting it in windows (`restoreAdmitted` does). Throws for a seq that is open. */
  restoreOpen(hold: RestoredHold): void {
    const { seq, atMs, who, label, fingerprint, holdNanoUsd, draws } = hold;
    if (this.#open.has(seq)) throw new Error(`decision ${seq} is open already`);
    const side = this.#side(who);
    const isHuge = holdNanoUsd > HUGE_NANO_USD || side.heldNanoUsd + holdNanoUsd > MAX_NANO_USD;
    const books = side.booksOf(who, atMs);
    const labels = books.map((book) => book.labelFor(label));
    for (let index = 0; index < books.length; index++) books[index]!.hold(labels[index]!, holdNanoUsd, isHuge);
    if (!isHuge) side.heldNanoUsd += holdNanoUsd;
    this.#volume(side, who.workspaceId).open(draws);
    this.#open.set(seq, { seq, atMs, who, label, fingerprint, holdNanoUsd, draws, isHuge, books, labels });
  }

  /** Start-up: settled volume, one call for each month that drew credits or is the current one, oldest first. */
  restoreVolume(volume: RestoredVolume): void {
    const side = volume.environmentTest ? this.#test : this.#live;
    this.#volume(side, volume.workspaceId).restore(volume.monthStartMs, volume.includedRequests, volume.creditRequests);
  }

  /** Every hold that waits for its settlement, oldest first. */
  *openHolds(): IterableIterator<OpenHold> {
    yield* this.#open.values();
  }

  /** How many holds wait. */
  get openCount(): number {
    return this.#open.size;
  }

  /** Everything that is counted, as plain data: for verify, for tests, for people. */
  snapshot(nowMs: number): StateSnapshot {
    return snapshotOf(this.#live, this.#test, this.#open.size, nowMs);
  }

  /** Money that requests in flight hold, those of more than `HUGE_NANO_USD` apart. */
  held(environment: Environment): NanoUsd {
    return (environment === 'live' ? this.#live : this.#test).heldNanoUsd;
  }

  /** What was too much for the fixed capacities: counted cautiously, and to be seen in metrics. */
  get pressure(): { readonly payloadsFallenOut: number; readonly usersShared: number; readonly sendersShared: number } {
    const sides = [this.#live, this.#test];
    const sum = (of: (side: Side) => number): number => sides.reduce((total, side) => total + of(side), 0);
    return {
      payloadsFallenOut: sum((side) => [...side.loops.values()].reduce((total, loops) => total + loops.fallenOut, 0)),
      usersShared: sum((side) => side.users.sharedUses + side.workspaceUsers.sharedUses),
      sendersShared: sum((side) => side.senders.sharedUses),
    };
  }

  #side(who: Belonging): Side {
    return who.environmentTest ? this.#test : this.#live;
  }

  #volume(side: Side, workspaceId: number): VolumeBook {
    let book = side.volumes.get(workspaceId);
    if (book === undefined) side.volumes.set(workspaceId, (book = new VolumeBook(this.#credits.get(workspaceId) ?? 0)));
    return book;
  }

  #release(seq: number): PlacedHold | null {
    const hold = this.#open.get(seq);
    if (hold === undefined) return null;
    this.#open.delete(seq);
    const { books, labels } = hold;
    for (let index = 0; index < books.length; index++) books[index]!.release(labels[index]!, hold.holdNanoUsd, hold.isHuge);
    if (!hold.isHuge) this.#side(hold.who).heldNanoUsd -= hold.holdNanoUsd;
    return hold;
  }
}
