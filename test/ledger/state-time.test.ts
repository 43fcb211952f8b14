import { describe, expect, test } from 'bun:test';
import { LedgerTime } from '../../src/ledger/time.ts';
import { periodEndMs, periodStartMs, type CalendarPeriod } from '../../src/ledger/state/periods.ts';

describe('ledger time', () => {
  test('follows the wall clock, and waits while that one is behind', () => {
    const time = new LedgerTime(5_000);
    expect(time.tick(4_000, 0)).toBe(5_000);
    expect(time.tick(4_900, 900)).toBe(5_000);
    expect(time.tick(6_000, 2_000)).toBe(6_000);
    expect(time.tick(1_000, 2_100)).toBe(6_000);
    expect(time.confirmed).toBe(true);
  });

  test('five minutes ahead of the monotonic clock are believed, a millisecond more is not', () => {
    const believed = new LedgerTime();
    believed.tick(1_000_000, 0);
    expect(believed.tick(1_301_000, 1_000)).toBe(1_301_000);
    expect(believed.confirmed).toBe(true);
    const doubted = new LedgerTime();
    doubted.tick(1_000_000, 0);
    expect(doubted.tick(1_301_001, 1_000)).toBe(1_001_000);
    expect(doubted.confirmed).toBe(false);
  });

  test('while it is doubted, time runs on by the monotonic clock; an operator can confirm', () => {
    const time = new LedgerTime();
    time.tick(1_000_000, 0);
    time.tick(90_000_000, 0);
    expect(time.tick(90_002_000, 2_000)).toBe(1_002_000);
    expect(time.confirm(90_002_000, 2_000)).toBe(90_002_000);
    expect(time.confirmed).toBe(true);
    expect(time.tick(90_003_000, 3_000)).toBe(90_003_000);
  });

  test('a wall clock that comes back by itself needs nobody', () => {
    const time = new LedgerTime();
    time.tick(1_000_000, 0);
    time.tick(90_000_000, 0);
    expect(time.tick(1_005_000, 5_000)).toBe(1_005_000);
    expect(time.confirmed).toBe(true);
  });

  test('many small steps forward add up to a jump', () => {
    const time = new LedgerTime();
    for (let step = 0; step <= 3; step++) time.tick(1_000_000 + step * 120_000, step);
    expect(time.confirmed).toBe(false);
  });
});

describe('calendar periods are UTC, weeks begin on Monday', () => {
  const rows: [CalendarPeriod, string, string, string][] = [
    ['day', '2028-02-29T23:59:59.999Z', '2028-02-29T00:00:00.000Z', '2028-03-01T00:00:00.000Z'],
    ['day', '2028-03-01T00:00:00.000Z', '2028-03-01T00:00:00.000Z', '2028-03-02T00:00:00.000Z'],
    ['day', '2026-03-29T02:30:00.000Z', '2026-03-29T00:00:00.000Z', '2026-03-30T00:00:00.000Z'],
    ['month', '2028-02-29T12:00:00.000Z', '2028-02-01T00:00:00.000Z', '2028-03-01T00:00:00.000Z'],
    ['month', '2026-12-31T23:59:59.999Z', '2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    ['month', '2100-02-28T23:59:59.999Z', '2100-02-01T00:00:00.000Z', '2100-03-01T00:00:00.000Z'],
    ['week', '2026-11-22T23:59:59.999Z', '2026-11-16T00:00:00.000Z', '2026-11-23T00:00:00.000Z'],
    ['week', '2026-11-23T00:00:00.000Z', '2026-11-23T00:00:00.000Z', '2026-11-30T00:00:00.000Z'],
    ['week', '2027-01-01T00:00:00.000Z', '2026-12-28T00:00:00.000Z', '2027-01-04T00:00:00.000Z'],
  ];
  test.each(rows)('%s of %s', (period, at, start, end) => {
    expect(new Date(periodStartMs(period, Date.parse(at))).toISOString()).toBe(start);
    expect(new Date(periodEndMs(period, Date.parse(at))).toISOString()).toBe(end);
  });
});
