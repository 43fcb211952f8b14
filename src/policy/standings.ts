import type { Candidate } from '../domain/candidate.ts';
import type { NanoUsd } from '../domain/money.ts';
import type { Balance, Belonging, StateView } from '../domain/state.ts';
import type { BudgetSection, CompiledPolicy } from './compiled.ts';

/** Where a request stands against the money limits of its policy. Each balance is read once and judged later. */
export interface Standings {
  /** By `BudgetSection.index`; null for budgets that do not apply. */
  readonly balances: readonly (Balance | null)[];
  /** By `AbuseSection.index`. */
  readonly abuse: readonly Balance[];
  /** The smallest enforced limit that applies, those of one request apart, or null when there is none. */
  readonly tightestLimitNanoUsd: NanoUsd | null;
  /** What the fullest enforced limit has left, or null when none applies. Below 0 after an overrun. */
  readonly roomNanoUsd: NanoUsd | null;
  /** The same if every request in flight had settled at nothing. */
  readonly roomWithoutHoldsNanoUsd: NanoUsd | null;
  /** What the fullest enforced budget has left (budgets only, not abuse and request limits), or null. */
  readonly budgetRoomNanoUsd: NanoUsd | null;
}

/** A limit on a single request starts empty. */
const EMPTY: Balance = { settledNanoUsd: 0, heldNanoUsd: 0, resetsAtMs: null };

interface Tightest {
  limit: number;
  room: number;
  free: number;
  budgetRoom: number;
}

/** Reads every balance that the policy's money limits need. */
export function readStandings(policy: CompiledPolicy, state: StateView, candidate: Candidate, who: Belonging, nowMs: number): Standings {
  const tightest: Tightest = { limit: Infinity, room: Infinity, free: Infinity, budgetRoom: Infinity };
  const balances: (Balance | null)[] = [];
  for (const budget of policy.budgets) {
    const balance = balanceOf(budget, state, candidate, who, nowMs);
    balances.push(balance);
    if (balance === null || budget.mode !== 'enforce') continue;
    note(tightest, budget.limitNanoUsd, balance, budget.account !== null);
    if (budget.account !== null) tightest.budgetRoom = Math.min(tightest.budgetRoom, roomOf(budget.limitNanoUsd, balance));
  }
  const abuse: Balance[] = [];
  for (const cap of policy.abuse) {
    const heldNanoUsd = state.heldNow(cap.scope, who);
    const spent = state.spentWithin(cap.scope, who, cap.windowMs, nowMs);
    const balance: Balance = { settledNanoUsd: spent - heldNanoUsd, heldNanoUsd, resetsAtMs: null };
    abuse.push(balance);
    if (cap.mode === 'enforce') note(tightest, cap.limitNanoUsd, balance, true);
  }
  return {
    balances,
    abuse,
    tightestLimitNanoUsd: finiteOrNull(tightest.limit),
    roomNanoUsd: finiteOrNull(tightest.room),
    roomWithoutHoldsNanoUsd: finiteOrNull(tightest.free),
    budgetRoomNanoUsd: finiteOrNull(tightest.budgetRoom),
  };
}

function balanceOf(budget: BudgetSection, state: StateView, candidate: Candidate, who: Belonging, nowMs: number): Balance | null {
  if (budget.models !== null && !reaches(candidate, budget)) return null;
  return budget.account === null ? EMPTY : state.balance(budget.account, who, nowMs);
}

function reaches(candidate: Candidate, budget: BudgetSection): boolean {
  for (const model of candidate.models) if (budget.models!.match(model) !== null) return true;
  return false;
}

function note(tightest: Tightest, limitNanoUsd: NanoUsd, balance: Balance, isShared: boolean): void {
  if (isShared) tightest.limit = Math.min(tightest.limit, limitNanoUsd);
  tightest.room = Math.min(tightest.room, roomOf(limitNanoUsd, balance));
  tightest.free = Math.min(tightest.free, limitNanoUsd - balance.settledNanoUsd);
}

/** What a limit has left, in nano-USD. */
export function roomOf(limitNanoUsd: NanoUsd, balance: Balance): NanoUsd {
  return limitNanoUsd - balance.settledNanoUsd - balance.heldNanoUsd;
}

function finiteOrNull(value: number): number | null {
  return value === Infinity ? null : value;
}
