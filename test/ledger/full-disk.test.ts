import { expect, test } from 'bun:test';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import type { OpenLedger } from '../../src/ledger/sqlite/open-ledger.ts';
import { verifyLedger } from '../../src/ledger/sqlite/verify.ts';
import { TEST_SEAL_KEYS } from '../support/seal-keys.ts';
import { allowed, always, candidate, openSeeded, settlement, temporaryDirectory } from './harness.ts';

const DEADLINE_MS = 250;

/** Mounts a small disk over `path`; false when this machine does not let us. */
function mount(path: string): boolean {
  return process.platform === 'linux' && Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', path]).success;
}

function fill(path: string): void {
  const file = openSync(path, 'w');
  for (const size of [65_536, 4_096, 1]) {
    const block = new Uint8Array(size);
    try {
      while (writeSync(file, block) === size);
    } catch (error) {
      if (!String(error).includes('ENOSPC')) throw error;
    }
  }
  closeSync(file);
}

/** Admits one after the other until one is refused, and returns how long that refusal took, milliseconds. */
async function untilRefused(opened: OpenLedger): Promise<number> {
  for (;;) {
    const started = performance.now();
    const decision = await opened.ledger.admit(candidate(), 1, always(allowed())).catch(() => null);
    if (decision === null) return performance.now() - started;
    opened.ledger.settle(settlement(decision));
  }
}

test('a full disk refuses in time, forwards nothing, and heals by itself', async () => {
  using directory = temporaryDirectory();
  if (!mount(directory.path)) return expect(process.getuid?.()).not.toBe(0);
  try {
    const health: boolean[] = [];
    let well = Promise.withResolvers<void>();
    const events = {
      onRefusedRow: () => {},
      onHealth: (available: boolean) => void (health.push(available) && available && well.resolve()),
    };
    const opened = await openSeeded(directory.path, { events, commitDeadlineMs: 225 });
    const filler = join(directory.path, 'filler');
    for (let round = 0; round < 3; round++) {
      well = Promise.withResolvers<void>();
      fill(filler);
      expect(await untilRefused(opened)).toBeLessThan(DEADLINE_MS);
      rmSync(filler);
      if (!opened.ledger.available) await well.promise;
      const decision = await opened.ledger.admit(candidate(), 1, always(allowed()));
      opened.ledger.settle(settlement(decision));
      await opened.ledger.drain();
      expect(opened.memory.openCount).toBe(0);
    }
    expect(health).toContain(false);
    await opened.close();
    expect(verifyLedger(ledgerPath(directory.path), { sealKeys: TEST_SEAL_KEYS })).toEqual([]);
  } finally {
    Bun.spawnSync(['umount', '-l', directory.path]);
  }
}, 20_000);
