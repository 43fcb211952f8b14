import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { OpenLedger } from '../../src/ledger/sqlite/open-ledger.ts';
import { allowed, always, candidate, openSeeded, settlement, temporaryDirectory } from './harness.ts';

const HOUR_MS = 3_600_000;
const WHO = { environmentTest: false, workspaceId: 1, projectId: 1, keyId: 1, endUser: null, sender: null };

const directory = temporaryDirectory();
let opened: OpenLedger;
beforeAll(async () => (opened = await openSeeded(directory.path)));
afterAll(async () => {
  await opened.close();
  directory[Symbol.dispose]();
});

/** What is held and spent. */
const taken = (): number => opened.memory.spentWithin('key', WHO, HOUR_MS, opened.ledger.nowMs());

test.each([Number.NaN, Number.POSITIVE_INFINITY, 0.5, -1, 2 ** 53])(
  'what is no amount (%d) reaches neither a row nor a balance',
  async (amount) => {
    const before = taken();
    expect(opened.ledger.admit(candidate(), 1, always(allowed({ holdNanoUsd: amount })))).rejects.toBeInstanceOf(RangeError);
    expect(taken()).toBe(before);

    const decision = await opened.ledger.admit(candidate(), 1, always(allowed({ holdNanoUsd: 7 })));
    expect(() => opened.ledger.settle(settlement(decision, { costNanoUsd: amount }))).toThrow(RangeError);
    // The hold stays until somebody says what it came to.
    expect(taken()).toBe(before + 7);
    opened.ledger.settle(settlement(decision, { costNanoUsd: 3 }));
    expect(taken()).toBe(before + 3);
  },
);
