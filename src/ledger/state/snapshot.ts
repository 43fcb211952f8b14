import type { NanoUsd } from '../../domain/money.ts';
import type { BudgetAccount, Volume } from '../../domain/state.ts';
import type { Side } from './side.ts';
import type { SpendBook } from './spend-book.ts';

/** The money of one key, project, workspace, end user or sender. */
export interface BookSnapshot {
  readonly heldNanoUsd: NanoUsd;
  readonly inFlight: number;
  /** Settled in the current day, week and month (UTC) and ever. */
  readonly dayNanoUsd: NanoUsd;
  readonly weekNanoUsd: NanoUsd;
  readonly monthNanoUsd: NanoUsd;
  readonly totalNanoUsd: NanoUsd;
  /** Settled ever, by label; labels without spend are left out. */
  readonly byLabel: Readonly<Record<string, NanoUsd>>;
}

/** What is counted for live or for test traffic. Books in which nothing was spent and nothing is held are left out. */
export interface SideSnapshot {
  readonly keys: Readonly<Record<string, BookSnapshot>>;
  readonly projects: Readonly<Record<string, BookSnapshot>>;
  readonly workspaces: Readonly<Record<string, BookSnapshot>>;
  /** By `project:user`. */
  readonly users: Readonly<Record<string, BookSnapshot>>;
  /** By `workspace:user`. */
  readonly workspaceUsers: Readonly<Record<string, BookSnapshot>>;
  /** By `project:sender`. */
  readonly senders: Readonly<Record<string, BookSnapshot>>;
  readonly volumes: Readonly<Record<string, Volume>>;
}

/** The whole state as plain data. */
export interface StateSnapshot {
  readonly openHolds: number;
  readonly live: SideSnapshot;
  readonly test: SideSnapshot;
}

const ACCOUNT = { scope: 'key', windowMs: 0, matches: null } as const;
const DAY: BudgetAccount = { ...ACCOUNT, period: 'day' };
const WEEK: BudgetAccount = { ...ACCOUNT, period: 'week' };
const MONTH: BudgetAccount = { ...ACCOUNT, period: 'month' };
const TOTAL: BudgetAccount = { ...ACCOUNT, period: 'total' };

/** Reads both sides at `nowMs`. */
export function snapshotOf(live: Side, test: Side, openHolds: number, nowMs: number): StateSnapshot {
  return { openHolds, live: sideOf(live, nowMs), test: sideOf(test, nowMs) };
}

function sideOf(side: Side, nowMs: number): SideSnapshot {
  const named = (crowd: Side['users']): (readonly [string, SpendBook])[] =>
    [...crowd.entries()].map(([space, name, book]) => [`${space}:${name ?? '*'}`, book] as const);
  return {
    keys: booksOf(side.keys, nowMs),
    projects: booksOf(side.projects, nowMs),
    workspaces: booksOf(side.workspaces, nowMs),
    users: booksOf(named(side.users), nowMs),
    workspaceUsers: booksOf(named(side.workspaceUsers), nowMs),
    senders: booksOf(named(side.senders), nowMs),
    volumes: Object.fromEntries([...side.volumes].map(([id, book]) => [String(id), book.read(nowMs)] as const)),
  };
}

function booksOf(books: Iterable<readonly [number | string, SpendBook]>, nowMs: number): Record<string, BookSnapshot> {
  const snapshots: Record<string, BookSnapshot> = {};
  for (const [id, book] of books) if (!book.isEmpty) snapshots[String(id)] = bookOf(book, nowMs);
  return snapshots;
}

function bookOf(book: SpendBook, nowMs: number): BookSnapshot {
  return {
    heldNanoUsd: book.heldNanoUsd,
    inFlight: book.inFlight,
    dayNanoUsd: book.balance(DAY, nowMs).settledNanoUsd,
    weekNanoUsd: book.balance(WEEK, nowMs).settledNanoUsd,
    monthNanoUsd: book.balance(MONTH, nowMs).settledNanoUsd,
    totalNanoUsd: book.balance(TOTAL, nowMs).settledNanoUsd,
    byLabel: book.totalsByLabel(),
  };
}
