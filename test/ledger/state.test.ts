import { describe, expect, test } from 'bun:test';
import { belongingOf, senderGroup } from '../../src/domain/belonging.ts';
import type { Candidate } from '../../src/domain/candidate.ts';
import type { BudgetAccount } from '../../src/domain/state.ts';
import type { Allowed } from '../../src/domain/verdict.ts';
import { LedgerState } from '../../src/ledger/state.ts';
import { Crowd } from '../../src/ledger/state/crowd.ts';
import { LoopTable } from '../../src/ledger/state/loop-table.ts';
import { SpendBook } from '../../src/ledger/state/spend-book.ts';
import { TimeRing } from '../../src/ledger/state/time-ring.ts';
import { decide } from '../../src/policy/decide.ts';
import { candidateOf, compiled, NOTHING, settlementOf } from '../support/policies.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOON_MS = Date.UTC(2026, 10, 22, 12);

const account = (change: Partial<BudgetAccount> = {}): BudgetAccount => ({
  scope: 'key',
  period: 'day',
  windowMs: 0,
  matches: null,
  ...change,
});
const allowed = (holdNanoUsd: number, draws: Allowed['draws'] = 'none'): Allowed => {
  return { allow: true, holdNanoUsd, outputCap: null, heldOutputTokens: 1, remainingNanoUsd: null, draws, observed: [] };
};

function open(
  state: LedgerState,
  seq: number,
  atMs: number,
  holdNanoUsd: number,
  candidate: Candidate = candidateOf(),
  draws: Allowed['draws'] = 'none',
): void {
  state.open({ seq, atMs, candidate, policyVersion: 1, verdict: allowed(holdNanoUsd, draws) }, belongingOf(candidate));
}

const who = belongingOf(candidateOf());

describe('room for exactly 100', () => {
  const nested = compiled(
    {
      ...NOTHING,
      budgets: [
        { scope: 'key', period: 'day', limit_usd: '1' },
        { scope: 'project', period: 'week', limit_usd: '1.005' },
      ],
    },
    { budgets: [{ scope: 'workspace', period: 'month', limit_usd: '1.009' }] },
  );
  test('1,000 admissions before anything settles: 100 pass', () => {
    const state = new LedgerState();
    const candidate = candidateOf({ quote: { inputHoldNanoUsd: 2_000_000, clientOutputCap: 1_000 } });
    const verdicts = Array.from({ length: 1_000 }, (_, index) => {
      const verdict = decide(nested, state, candidate, NOON_MS);
      if (verdict.allow) state.open({ seq: index + 1, atMs: NOON_MS, candidate, policyVersion: 1, verdict }, who);
      return verdict;
    });
    expect(verdicts.filter(({ allow }) => allow)).toHaveLength(100);
    expect(
      verdicts.filter((verdict) => !verdict.allow && verdict.finding.reason === 'key_budget' && verdict.finding.retryable),
    ).toHaveLength(900);
  });
});

describe('periods', () => {
  test('a hold that spans midnight counts in both days until it settles, and then where it settled', () => {
    const state = new LedgerState();
    const midnight = Date.UTC(2028, 1, 29);
    open(state, 1, midnight - 1, 500);
    expect(state.balance(account(), who, midnight - 1)).toEqual({ settledNanoUsd: 0, heldNanoUsd: 500, resetsAtMs: midnight });
    expect(state.balance(account(), who, midnight)).toEqual({ settledNanoUsd: 0, heldNanoUsd: 500, resetsAtMs: midnight + DAY_MS });
    expect(state.settle(settlementOf(1, 300), midnight + 1)).toBe(true);
    expect(state.balance(account(), who, midnight + 1)).toEqual({ settledNanoUsd: 300, heldNanoUsd: 0, resetsAtMs: midnight + DAY_MS });
  });

  test('a period never reopens for an earlier time', () => {
    const state = new LedgerState();
    const day = account();
    open(state, 1, NOON_MS, 500);
    state.settle(settlementOf(1, 400), NOON_MS);
    expect(state.balance(day, who, NOON_MS + DAY_MS).settledNanoUsd).toBe(0);
    expect(state.balance(day, who, NOON_MS).resetsAtMs).toBe(Date.UTC(2026, 10, 24));
  });

  test('an account of a new policy is there at once, for every period and pattern', () => {
    const state = new LedgerState();
    for (const [index, model] of ['gpt-4.1', 'o3', 'gpt-4.1-mini'].entries()) {
      open(state, index * 2 + 1, NOON_MS, 10, candidateOf({ model }));
      state.settle(settlementOf(index * 2 + 1, 10 ** index), NOON_MS + index * HOUR_MS);
      open(state, index * 2 + 2, NOON_MS, 1000 * 10 ** index, candidateOf({ model }));
    }
    const now = NOON_MS + 3 * HOUR_MS;
    const matches = (model: string): boolean => model.startsWith('gpt');
    expect(state.balance(account({ matches }), who, now)).toMatchObject({ settledNanoUsd: 101, heldNanoUsd: 101_000 });
    expect(state.balance(account({ period: 'total' }), who, now)).toEqual({ settledNanoUsd: 111, heldNanoUsd: 111_000, resetsAtMs: null });
    const rolling = account({ period: 'rolling', windowMs: 2 * HOUR_MS });
    expect(state.balance(rolling, who, now)).toMatchObject({ settledNanoUsd: 100, resetsAtMs: NOON_MS + 4 * HOUR_MS });
    expect(state.balance(rolling, who, now - 1)).toMatchObject({ settledNanoUsd: 100 });
  });

  test('a rolling amount leaves exactly at the end of its window', () => {
    const state = new LedgerState();
    open(state, 1, NOON_MS, 9);
    state.settle(settlementOf(1, 9), NOON_MS);
    const rolling = account({ period: 'rolling', windowMs: 1000 });
    expect(state.balance(rolling, who, NOON_MS + 999).settledNanoUsd).toBe(9);
    expect(state.balance(rolling, who, NOON_MS + 1000)).toEqual({ settledNanoUsd: 0, heldNanoUsd: 0, resetsAtMs: null });
  });
});

test('live and test traffic never meet', () => {
  const state = new LedgerState();
  const candidate = candidateOf({ environment: 'test' });
  open(state, 1, NOON_MS, 500, candidate, 'included');
  state.settle(settlementOf(1, 400), NOON_MS);
  open(state, 2, NOON_MS, 300, candidate, 'included');
  expect(state.balance(account(), who, NOON_MS)).toMatchObject({ settledNanoUsd: 0, heldNanoUsd: 0 });
  expect(state.requestsWithin('project', who, 1000, NOON_MS)).toBe(0);
  expect(state.repeatsWithin(1n, who, 1000, NOON_MS)).toBe(0);
  expect(state.inFlight('key', who)).toBe(0);
  expect(state.volume(who, NOON_MS).usedRequests).toBe(0);
  expect(state.volume(belongingOf(candidate), NOON_MS).usedRequests).toBe(2);
  expect(state.balance(account(), belongingOf(candidate), NOON_MS)).toMatchObject({ settledNanoUsd: 400, heldNanoUsd: 300 });
});

test('an undone admission leaves no trace', () => {
  const state = new LedgerState();
  open(state, 1, NOON_MS, 500, candidateOf(), 'credit');
  const before = JSON.stringify(new LedgerState().snapshot(NOON_MS).live.keys);
  expect(state.undo(1)).toBe(true);
  expect(state.undo(1)).toBe(false);
  expect(JSON.stringify(state.snapshot(NOON_MS).live.keys)).toBe(before);
  expect(state.requestsWithin('key', who, 1000, NOON_MS)).toBe(0);
  expect(state.repeatsWithin(1n, who, 1000, NOON_MS)).toBe(0);
  expect(state.volume(who, NOON_MS)).toEqual({ usedRequests: 0, creditsLeft: 0 });
});

test('a settlement that does not count returns its volume; twice is once', () => {
  const state = new LedgerState();
  state.grantCredits(1, 5);
  open(state, 1, NOON_MS, 0, candidateOf(), 'included');
  open(state, 2, NOON_MS, 0, candidateOf(), 'credit');
  expect(state.volume(who, NOON_MS)).toEqual({ usedRequests: 1, creditsLeft: 4 });
  expect(state.settle(settlementOf(1, 0, { countsVolume: false }), NOON_MS)).toBe(true);
  expect(state.settle(settlementOf(2, 0), NOON_MS)).toBe(true);
  expect(state.settle(settlementOf(2, 0), NOON_MS)).toBe(false);
  expect(state.volume(who, NOON_MS)).toEqual({ usedRequests: 0, creditsLeft: 4 });
  expect(state.volume(who, NOON_MS + 40 * DAY_MS)).toEqual({ usedRequests: 0, creditsLeft: 4 });
});

test('the same seq cannot be open twice, and a denial has no hold', () => {
  const state = new LedgerState();
  open(state, 1, NOON_MS, 5);
  expect(() => open(state, 1, NOON_MS, 5)).toThrow('open already');
  expect([...state.openHolds()].map(({ seq, holdNanoUsd }) => [seq, holdNanoUsd])).toEqual([[1, 5]]);
});

test('a correction counts in the periods of the settlement that it corrects', () => {
  const state = new LedgerState();
  open(state, 1, NOON_MS, 500);
  state.settle(settlementOf(1, 500), NOON_MS);
  const tomorrow = NOON_MS + DAY_MS;
  open(state, 2, tomorrow, 70);
  state.settle(settlementOf(2, 70), tomorrow);
  state.correct({ who, label: 'gpt-4.1', costNanoUsd: -400, atMs: NOON_MS });
  expect(state.balance(account(), who, tomorrow).settledNanoUsd).toBe(70);
  expect(state.balance(account({ period: 'total' }), who, tomorrow).settledNanoUsd).toBe(170);
  expect(state.balance(account({ scope: 'user', period: 'rolling', windowMs: 2 * DAY_MS }), who, tomorrow).settledNanoUsd).toBe(170);
});

test.each([40, 400])('a correction of what settled %i days ago moves a running total, and nothing else', (days) => {
  const state = new LedgerState();
  open(state, 1, NOON_MS, 500);
  state.settle(settlementOf(1, 500), NOON_MS);
  const now = NOON_MS + days * DAY_MS;
  open(state, 2, now, 70);
  state.settle(settlementOf(2, 70), now);
  const accounts = [account({ period: 'total' }), account({ period: 'month' }), account({ period: 'rolling', windowMs: 31 * DAY_MS })];
  const spent = (): number[] => accounts.map((of) => state.balance(of, who, now).settledNanoUsd);
  expect(spent()).toEqual([570, 70, 70]);
  state.correct({ who, label: 'gpt-4.1', costNanoUsd: 200, atMs: NOON_MS });
  expect(spent()).toEqual([770, 70, 70]);
  state.correct({ who, label: 'gpt-4.1', costNanoUsd: -700, atMs: NOON_MS });
  expect(spent()).toEqual([70, 70, 70]);
});

test('holds past what adds up exactly fill every limit and leave no rest behind', () => {
  const state = new LedgerState();
  const day = account();
  open(state, 1, NOON_MS, 3);
  open(state, 2, NOON_MS, Number.MAX_SAFE_INTEGER);
  open(state, 3, NOON_MS, Number.MAX_SAFE_INTEGER);
  expect(state.balance(day, who, NOON_MS).heldNanoUsd).toBe(Number.MAX_SAFE_INTEGER);
  state.settle(settlementOf(2, 0), NOON_MS);
  state.undo(3);
  expect(state.balance(day, who, NOON_MS).heldNanoUsd).toBe(3);
  expect(state.heldNow('project', who)).toBe(3);
});

describe('windows', () => {
  const rows: [windowMs: number, nowMs: number, count: number][] = [
    [100, 1_099, 1],
    [100, 1_100, 0],
    [101, 1_100, 1],
    [500, 1_499, 2],
    [500, 1_500, 1],
  ];
  test.each(rows)('within %i at %i: %i', (windowMs, nowMs, count) => {
    const ring = new TimeRing();
    ring.push(nowMs < 1_200 ? 10 : 1_000);
    ring.push(1_000 + (nowMs < 1_200 ? 0 : 400));
    expect(ring.countWithin(windowMs, nowMs)).toBe(count);
  });

  test('room comes when enough of the oldest have left', () => {
    const ring = new TimeRing();
    for (const at of [10, 20, 30]) ring.push(at);
    expect(ring.roomAtMs(100, 4, 40)).toBe(40);
    expect(ring.roomAtMs(100, 3, 40)).toBe(110);
    expect(ring.roomAtMs(100, 1, 40)).toBe(130);
    expect(ring.countWithin(100, 110)).toBe(2);
  });

  test('a ring holds more than any limit and then lets the oldest fall out', () => {
    const ring = new TimeRing();
    for (let index = 0; index < 140_000; index++) ring.push(1_000);
    expect(ring.countWithin(1, 1_000)).toBeGreaterThan(100_000);
    expect(ring.length).toBeLessThan(140_000);
  });
});

describe('fixed capacities', () => {
  test('the loop table counts exactly up to its capacity, then the oldest fall out', () => {
    const table = new LoopTable(4);
    for (const [index, payload] of [1n, 2n, 1n, 3n].entries()) table.add(payload, 100 + index);
    expect([table.countWithin(1n, 1000, 103), table.countWithin(2n, 1000, 103), table.fallenOut]).toEqual([2, 1, 0]);
    table.add(4n, 104);
    expect([table.countWithin(1n, 1000, 104), table.countWithin(4n, 1000, 104), table.fallenOut]).toEqual([1, 1, 1]);
    expect(table.size).toBe(4);
  });

  test('loop windows are exact at both edges', () => {
    const table = new LoopTable(100);
    table.add(7n, 1_000);
    expect(table.countWithin(7n, 60, 1_059)).toBe(1);
    expect(table.countWithin(7n, 60, 1_060)).toBe(0);
  });

  test('a full crowd counts all new names together, and forgets the idle', () => {
    const crowd = new Crowd(2);
    for (const name of ['a', 'b']) {
      const book = crowd.findOrMake(1, name, NOON_MS);
      book.spend(book.labelFor('m'), 5, NOON_MS);
    }
    const shared = crowd.findOrMake(1, 'c', NOON_MS);
    expect(crowd.findOrMake(1, 'd', NOON_MS)).toBe(shared);
    expect([crowd.size, crowd.sharedUses]).toEqual([2, 2]);
    expect(crowd.find(1, 'never seen')).toBe(shared);
    expect(crowd.findOrMake(2, 'e', NOON_MS + 40 * DAY_MS)).not.toBe(shared);
    expect(crowd.find(1, 'a')).toBeNull();
  });

  test('a budget over all time forbids to forget who has spent', () => {
    const crowd = new Crowd(1);
    crowd.rememberTotals();
    const book = crowd.findOrMake(1, 'a', NOON_MS);
    book.spend(book.labelFor('m'), 5, NOON_MS);
    crowd.findOrMake(1, 'b', NOON_MS + 40 * DAY_MS);
    expect(crowd.find(1, 'a')).toBe(book);
    expect(crowd.size).toBe(1);
  });

  test('labels past the table count for every pattern', () => {
    const book = new SpendBook();
    for (let index = 0; index < 400; index++) book.spend(book.labelFor(`invented-${index}`), 1, NOON_MS);
    const none = account({ matches: (model) => model === 'gpt-4.1' });
    expect(book.balance(none, NOON_MS).settledNanoUsd).toBe(400 - 255);
    expect(book.balance(account(), NOON_MS).settledNanoUsd).toBe(400);
  });

  test('a log that has merged keeps calendar sums exact and rolling sums no smaller', () => {
    const book = new SpendBook();
    const label = book.labelFor('m');
    const startMs = Date.UTC(2026, 10, 20);
    const rolling = account({ period: 'rolling', windowMs: HOUR_MS });
    const spends: number[] = [];
    for (let index = 0; index < 30_000; index++) {
      const atMs = startMs + index * 10_000;
      book.spend(label, 1 + (index % 7), atMs);
      spends.push(1 + (index % 7));
      if (index % 1_000 !== 999) continue;
      const exact = spends.slice(-360).reduce((sum, spend) => sum + spend, 0);
      const day = spends.slice(Math.ceil((Math.floor(atMs / DAY_MS) * DAY_MS - startMs) / 10_000)).reduce((sum, spend) => sum + spend, 0);
      expect(book.balance(rolling, atMs).settledNanoUsd).toBeGreaterThanOrEqual(exact);
      expect(book.balance(rolling, atMs).settledNanoUsd).toBeLessThan(exact * 2.5);
      // An account that nobody has read yet is made from the merged log.
      expect(book.balance(account(), atMs).settledNanoUsd).toBe(day);
    }
    expect(book.log.length).toBeLessThan(9_000);
  });
});

test('senders are IPv4 addresses and IPv6 /64 networks', () => {
  const rows = [
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:0:0:9::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['2001::3:4:5:6:7:8', '2001:0:3:4::/64'],
    ['::2:3:4:5:6:7', '0:0:2:3::/64'],
    ['1:2:3::5:6:7:8', '1:2:3:0::/64'],
    ['1:2:3:4::', '1:2:3:4::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
  ];
  for (const [ip, group] of rows) expect(senderGroup(ip!)).toBe(group!);
});
