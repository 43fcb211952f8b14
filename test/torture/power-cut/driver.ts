/**
 * The process whose writes are recorded: fills a budget on a ledger in `argv[2]`, and writes into the file `argv[3]` what it was promised:
 * `start` (the first rows are durable), `d SEQ` (a decision is), `s SEQ` (its settlement is). Ends without closing, as a crash would.
 */
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { belongingOf } from '../../../src/domain/belonging.ts';
import type { Decide } from '../../../src/ledger/ledger.ts';
import type { OpenLedger } from '../../../src/ledger/sqlite/open-ledger.ts';
import { allowed, candidate, denied, openSeeded, settlement } from '../../ledger/harness.ts';
import { ACCOUNT, HOLD_NANO_USD, LIMIT_NANO_USD, trueCostOf } from './plan.ts';

const CLIENTS = 12;
const TURNS = 20;
const writerUrl = new URL('./writer.ts', import.meta.url).href;
const dataDir = join(Bun.argv[2]!);
const marks = openSync(Bun.argv[3]!, 'a');
const mark = (text: string): number => writeSync(marks, `${text}\n`);

const within: Decide = (state, one, nowMs) => {
  const { settledNanoUsd, heldNanoUsd } = state.balance(ACCOUNT, belongingOf(one), nowMs);
  const fits = settledNanoUsd + heldNanoUsd + HOLD_NANO_USD <= LIMIT_NANO_USD;
  return fits ? allowed({ holdNanoUsd: HOLD_NANO_USD }) : denied();
};

async function client({ ledger }: OpenLedger, endUser: string): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) {
    const decision = await ledger.admit(candidate({ endUser }), 1, within);
    if (!decision.verdict.allow) {
      await Bun.sleep(1);
      continue;
    }
    mark(`d ${decision.seq}`);
    await Bun.sleep(turn % 3);
    ledger.settle(settlement(decision, { costNanoUsd: trueCostOf(decision.seq) }));
    if (turn % 4 !== 0) continue;
    await ledger.drain();
    mark(`s ${decision.seq}`);
  }
}

async function load(opened: OpenLedger): Promise<void> {
  await Promise.all(Array.from({ length: CLIENTS }, (_, index) => client(opened, `user-${index % 4}`)));
}

const first = await openSeeded(dataDir, { writerUrl });
mark('start');
await load(first);
await first.close();
await load(await openSeeded(dataDir, { writerUrl }));
process.kill(process.pid, 'SIGKILL');
