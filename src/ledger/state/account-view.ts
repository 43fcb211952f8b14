import { MAX_NANO_USD, type NanoUsd } from '../../domain/money.ts';
import type { Balance, BudgetAccount } from '../../domain/state.ts';
import { periodEndMs, periodStartMs } from './periods.ts';
import type { SpendLog } from './spend-log.ts';

/** What an account must know of the book that it looks into. */
export interface ViewedBook {
  readonly log: SpendLog;
  /** Whether spend under this label counts for the account. */
  labelCounts(account: BudgetAccount, label: number): boolean;
  /** All that was ever spent under labels that count. */
  totalOf(account: BudgetAccount): NanoUsd;
}

/**
 * The running balance of one account over one book. Everything in it can be made again from the book,
 * so an account of a new policy is there at once, and one of an old policy can be forgotten.
 */
export class AccountView {
  heldNanoUsd = 0;
  /** Holds that are too large to add up exactly: while there is one, all is held. */
  hugeHolds = 0;
  lastReadMs = 0;
  #settledNanoUsd = 0;
  #startMs = 0;
  #endMs = 0;
  #head = 0;
  #generation = -1;

  constructor(
    readonly account: BudgetAccount,
    readonly book: ViewedBook,
    nowMs: number,
  ) {
    if (account.period === 'rolling') return;
    if (account.period === 'total') this.#settledNanoUsd = book.totalOf(account);
    else this.#fillCalendar(account.period, nowMs);
  }

  /** Adds what the book has just put into its log. */
  add(atMs: number, nanoUsd: NanoUsd): void {
    const { period } = this.account;
    if (period === 'rolling') {
      // A log whose positions have moved is read anew with the next balance.
      if (this.#generation === this.book.log.generation) this.#settledNanoUsd += nanoUsd;
      return;
    }
    if (period !== 'total') this.#turn(atMs);
    if (atMs >= this.#startMs) this.#settledNanoUsd += nanoUsd;
  }

  read(nowMs: number): Balance {
    this.lastReadMs = nowMs;
    const { period } = this.account;
    if (period === 'rolling') this.#roll(nowMs);
    else if (period !== 'total') this.#turn(nowMs);
    return {
      settledNanoUsd: this.#settledNanoUsd > MAX_NANO_USD ? MAX_NANO_USD : this.#settledNanoUsd,
      heldNanoUsd: this.hugeHolds > 0 ? MAX_NANO_USD : this.heldNanoUsd,
      resetsAtMs: this.#resetsAtMs(),
    };
  }

  #resetsAtMs(): number | null {
    const { period, windowMs } = this.account;
    if (period === 'total') return null;
    if (period !== 'rolling') return this.#endMs;
    const { log } = this.book;
    return this.#head < log.length ? log.atMs(this.#head) + windowMs : null;
  }

  /** Opens the next calendar period when its time has come. A period that has ended never opens again. */
  #turn(nowMs: number): void {
    const { period } = this.account;
    if (nowMs < this.#endMs || period === 'total' || period === 'rolling') return;
    this.#startMs = periodStartMs(period, nowMs);
    this.#endMs = periodEndMs(period, nowMs);
    this.#settledNanoUsd = 0;
  }

  #fillCalendar(period: 'day' | 'week' | 'month', nowMs: number): void {
    const { log } = this.book;
    this.#startMs = periodStartMs(period, nowMs);
    this.#endMs = periodEndMs(period, nowMs);
    for (let position = log.firstFrom(this.#startMs); position < log.length; position++) {
      if (this.book.labelCounts(this.account, log.label(position))) this.#settledNanoUsd += log.nanoUsd(position);
    }
  }

  #roll(nowMs: number): void {
    const { log } = this.book;
    if (this.#generation !== log.generation) this.#fillRolling(log);
    const leftMs = nowMs - this.account.windowMs;
    while (this.#head < log.length) {
      const counts = this.book.labelCounts(this.account, log.label(this.#head));
      if (counts && log.atMs(this.#head) > leftMs) return;
      if (counts) this.#settledNanoUsd -= log.nanoUsd(this.#head);
      this.#head++;
    }
  }

  #fillRolling(log: SpendLog): void {
    this.#generation = log.generation;
    this.#head = 0;
    this.#settledNanoUsd = 0;
    for (let position = 0; position < log.length; position++) {
      if (this.book.labelCounts(this.account, log.label(position))) this.#settledNanoUsd += log.nanoUsd(position);
    }
  }
}
