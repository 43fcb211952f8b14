import { startPanicly, type Panicly } from '../support/binary.ts';
import { cpuMicroseconds } from '../support/cpu.ts';
import { median } from '../support/percentile.ts';
import { sendLoad, startPeer, type Load } from './processes.ts';

/** CPU is at most this many times that of a bare Elysia pass-through. */
export const GREATEST_RATIO = 2;

const WARM_UP_ROUNDS = 2;

/** Every control in force, all out of reach, so that each is paid for. */
const OUT_OF_REACH = {
  network: { mode: 'enforce', block: ['203.0.113.0/24', '2001:db8::/32'] },
  region: { mode: 'enforce', block: ['KP'] },
  models: { mode: 'enforce', block: ['o1-pro'] },
  burst: { mode: 'enforce', requests: 100_000, window_seconds: 1 },
  abuse: { mode: 'enforce', limit_usd: '1000000' },
  token_guard: { mode: 'enforce' },
  loop_guard: { mode: 'enforce', repeats: 1_000 },
  concurrency: { mode: 'enforce', requests: 100_000 },
  budgets: [{ scope: 'project', period: 'day', limit_usd: '1000000' }],
};

/** One who answers requests, and what each round cost. */
interface Contender {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  readonly key: string;
  readonly cpuMicroseconds: number[];
  readonly loads: Load[];
}

/** A row of the table: medians over the rounds. */
export interface Cost {
  readonly name: string;
  /** User and system time of the whole process for each request. */
  readonly cpuMicroseconds: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What the bare-cost benchmark does. */
export interface BareCostOptions {
  readonly connections: number;
  readonly requests: number;
  readonly rounds: number;
}

/** Measures a bare `Bun.serve`, a bare Elysia and the binary in turns, in front of the same provider. */
export async function bareCost(options: BareCostOptions): Promise<{ readonly costs: readonly Cost[]; readonly ratio: number }> {
  const upstream = await startPeer('upstream.ts');
  const url = `http://127.0.0.1:${upstream.port}`;
  await using panicly = await startPanicly();
  const contenders = [
    contender('bare Bun.serve', await startPeer('bare-bun.ts', url), 'none'),
    contender('bare Elysia', await startPeer('bare-elysia.ts', url), 'none'),
    contender('panicly', await connected(panicly, url), panicly.liveKey),
  ];
  for (let round = -WARM_UP_ROUNDS; round < options.rounds; round++) for (const one of contenders) await measure(one, options, round >= 0);
  const [, elysia, ours] = contenders;
  const ratio = median(ours!.cpuMicroseconds.map((cpu, round) => cpu / elysia!.cpuMicroseconds[round]!));
  return { costs: contenders.map(costOf), ratio };
}

/** The first rounds of each are for warming up: the compiler is still at work. */
async function measure(one: Contender, options: BareCostOptions, counts: boolean): Promise<void> {
  const before = cpuMicroseconds(one.pid);
  const load = await sendLoad(one.port, one.key, options.connections, options.requests);
  if (load.failed > 0) throw new Error(`${one.name} refused ${load.failed} requests`);
  if (!counts) return;
  one.cpuMicroseconds.push((cpuMicroseconds(one.pid) - before) / load.requests);
  one.loads.push(load);
}

async function connected(panicly: Panicly, upstreamUrl: string): Promise<{ pid: number; port: number }> {
  await panicly.connect({ baseUrl: `${upstreamUrl}/v1` }, { kind: 'openai' });
  await panicly.policy(OUT_OF_REACH);
  return { pid: panicly.pid, port: Number(new URL(panicly.url).port) };
}

function contender(name: string, { pid, port }: { readonly pid: number; readonly port: number }, key: string): Contender {
  return { name, pid, port, key, cpuMicroseconds: [], loads: [] };
}

function costOf({ name, cpuMicroseconds: cpu, loads }: Contender): Cost {
  return {
    name,
    cpuMicroseconds: median(cpu),
    requestsPerSecond: median(loads.map(({ requests, seconds }) => requests / seconds)),
    p50Ms: median(loads.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(loads.map(({ p99Ms }) => p99Ms)),
  };
}
