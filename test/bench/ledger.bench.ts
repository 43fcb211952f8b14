/**
 * `bun test/bench/ledger.bench.ts [requests] [at once]`: CPU of the main thread and of all other threads for one admission with its
 * settlement, and how long an admission waits. Linux alone tells CPU time by thread.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { allowed, always, candidate, openSeeded, settlement, temporaryDirectory } from '../ledger/harness.ts';

const requests = Number(process.argv[2] ?? 100_000);
const atOnce = Number(process.argv[3] ?? 64);

/** Nanoseconds of CPU that each thread of this process has used, by thread id. */
function cpuByThread(): Map<string, number> {
  const threads = readdirSync('/proc/self/task');
  return new Map(threads.map((id) => [id, Number(readFileSync(`/proc/self/task/${id}/schedstat`, 'utf8').split(' ')[0])]));
}

function usedMicros(before: Map<string, number>, after: Map<string, number>): { main: number; others: number } {
  let others = 0;
  for (const [id, nanos] of after) if (id !== String(process.pid)) others += nanos - (before.get(id) ?? 0);
  const id = String(process.pid);
  return { main: (after.get(id)! - before.get(id)!) / 1_000, others: others / 1_000 };
}

using directory = temporaryDirectory();
const { ledger, close } = await openSeeded(directory.path);
const verdict = always(allowed());
const waits: number[] = [];

async function client(count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const started = performance.now();
    const decision = await ledger.admit(candidate({ fingerprint: BigInt(index) }), 1, verdict);
    waits.push(performance.now() - started);
    ledger.settle(settlement(decision));
  }
}

async function run(count: number): Promise<void> {
  await Promise.all(Array.from({ length: atOnce }, () => client(Math.ceil(count / atOnce))));
}

await run(requests / 10);
waits.length = 0;
const before = cpuByThread();
const started = performance.now();
await run(requests);
const seconds = (performance.now() - started) / 1_000;
const used = usedMicros(before, cpuByThread());
waits.sort((a, b) => a - b);
const at = (share: number) => waits[Math.floor(waits.length * share)]!.toFixed(2);
console.log(`${requests} admissions with settlements, ${atOnce} at once: ${Math.round(requests / seconds)} a second`);
console.log(`main thread ${(used.main / requests).toFixed(1)} µs, other threads ${(used.others / requests).toFixed(1)} µs each`);
console.log(`wait for the commit: median ${at(0.5)} ms, 99 % ${at(0.99)} ms`);
await close();
