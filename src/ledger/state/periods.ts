import type { BudgetPeriod } from '../../domain/state.ts';

/** Calendar periods in UTC, where a day always has 24 hours. */
export type CalendarPeriod = Exclude<BudgetPeriod, 'total' | 'rolling'>;

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
/** 1970-01-01 was a Thursday: three days into a week that begins on Monday. */
const DAYS_BEFORE_EPOCH = 3;

/** When the period that holds `atMs` began. */
export function periodStartMs(period: CalendarPeriod, atMs: number): number {
  if (period === 'day') return Math.floor(atMs / DAY_MS) * DAY_MS;
  if (period === 'month') return monthMs(atMs, 0);
  const shift = DAYS_BEFORE_EPOCH * DAY_MS;
  return Math.floor((atMs + shift) / WEEK_MS) * WEEK_MS - shift;
}

/** When the period that holds `atMs` ends: the first millisecond of the next one. */
export function periodEndMs(period: CalendarPeriod, atMs: number): number {
  if (period === 'month') return monthMs(atMs, 1);
  return periodStartMs(period, atMs) + (period === 'day' ? DAY_MS : WEEK_MS);
}

function monthMs(atMs: number, months: number): number {
  const date = new Date(atMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1);
}
