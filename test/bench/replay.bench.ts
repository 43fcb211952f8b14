/**
 * `bun test/bench/replay.bench.ts [requests] [seconds]`: how long a replay of a week takes, how far the log grows meanwhile, and what
 * admissions on the same ledger wait for their commit with and without a replay beside them.
 */
import { statSync } from 'node:fs';
import { systemClock } from '../../src/clock.ts';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { Replays } from '../../src/operator/replay/replays.ts';
import { firstStart } from '../../src/operator/first-start.ts';
import { defaultPolicy } from '../../src/policy/document.ts';
import { allowed, always, candidate, open, settlement, temporaryDirectory } from '../ledger/harness.ts';
import { fillLedger } from '../support/long-ledger.ts';

const requests = Number(process.argv[2] ?? 1_000_000);
const seconds = Number(process.argv[3] ?? 8);
const WEEK_MS = 7 * 86_400_000;
/** Admissions a second in the paired run: a busy gateway, far from a full one. */
const RATE = 300;

using directory = temporaryDirectory();
const first = await open(directory.path);
await firstStart(first.store, null, () => false);
await first.close();
const path = ledgerPath(directory.path);
const begunMs = performance.now();
fillLedger(path, requests, WEEK_MS / requests, systemClock.nowMs());
console.log(`${requests} requests written in ${((performance.now() - begunMs) / 1000).toFixed(1)} s`);

const { ledger, store, close } = await open(directory.path);
const { workspaces, projects } = await store.loadDirectory();
const replays = new Replays(path);
const policy = { ...defaultPolicy(), budgets: [{ scope: 'project', period: 'day', limit_usd: '50.00', mode: 'enforce' } as const] };
const task = { workspace: workspaces[0]!, project: projects[0]!, policy, fromMs: systemClock.nowMs() - WEEK_MS, toMs: systemClock.nowMs() };

async function replayed(): Promise<string> {
  const startMs = performance.now();
  const report = await replays.run(task, { onProgress: () => {}, signal: new AbortController().signal });
  const tookSeconds = (performance.now() - startMs) / 1000;
  return `${report.rows} decisions in ${tookSeconds.toFixed(1)} s, ${Math.round(report.rows / tookSeconds)} a second`;
}

console.log(`alone: ${await replayed()}`);

const logBytes = (): number => statSync(`${path}-wal`).size;

/** Admits at a steady rate while `isGoing`, and returns how long each waited, in milliseconds, sorted. */
async function load(isGoing: () => boolean): Promise<number[]> {
  const waits: number[] = [];
  const verdict = always(allowed());
  const one = async (fingerprint: bigint): Promise<void> => {
    const askedMs = performance.now();
    const decision = await ledger.admit(candidate({ fingerprint, connectionId: 0 }), 1, verdict);
    waits.push(performance.now() - askedMs);
    ledger.settle(settlement(decision));
  };
  const beganMs = performance.now();
  for (let sent = 0; isGoing();) {
    for (; sent < ((performance.now() - beganMs) * RATE) / 1000; sent++) void one(BigInt(sent));
    await Bun.sleep(1);
  }
  await ledger.drain();
  return waits.sort((a, b) => a - b);
}

const at = (waits: readonly number[], share: number): number => waits[Math.floor(waits.length * share)]!;

for (let round = 1; round <= 3; round++) {
  const untilMs = performance.now() + seconds * 1000;
  const without = await load(() => performance.now() < untilMs);
  let line: string | null = null;
  const largest = { bytes: 0 };
  void replayed().then((text) => (line = text));
  const beside = await load(() => {
    largest.bytes = Math.max(largest.bytes, logBytes());
    return line === null;
  });
  const ratio = (share: number): string =>
    `${at(without, share).toFixed(2)} -> ${at(beside, share).toFixed(2)} ms (${(at(beside, share) / at(without, share)).toFixed(2)} x)`;
  console.log(`round ${round}: median ${ratio(0.5)}, p99 ${ratio(0.99)}, log at most ${(largest.bytes / 2 ** 20).toFixed(1)} MB; ${line}`);
}
await close();
