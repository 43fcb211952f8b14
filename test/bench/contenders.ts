import { startPanicly, type Panicly } from '../support/binary.ts';
import { median } from '../support/percentile.ts';
import { runPeer, startPeer, treeCpuMicroseconds, treeMemory, type Listening } from './processes.ts';

/** Who answers requests. */
export interface Contender extends Listening {
  readonly name: string;
  /** Headers that it wants with each request. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What a load of requests came to. */
export interface Load {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What requests are sent. `body` is a kind of `peers/bodies.ts`. */
export interface Work {
  readonly path?: string;
  readonly body: string;
  readonly connections: number;
  readonly requests: number;
  /** The status that every answer must have: 200 when absent. */
  readonly status?: number;
}

/** Medians over the rounds of one contender. */
export interface Cost {
  readonly who: Contender;
  /** User and system time of the whole process tree for each request. */
  readonly cpuMicroseconds: number;
  /** The same of each round, to be compared round by round. */
  readonly rounds: readonly number[];
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly peakMemoryMb: number;
}

/** Every control in force, all out of reach, so that each is paid for. */
export const OUT_OF_REACH = {
  network: { mode: 'enforce', block: ['203.0.113.0/24', '2001:db8::/32'] },
  region: { mode: 'enforce', block: ['KP'] },
  models: { mode: 'enforce', block: ['o1-pro'] },
  burst: { mode: 'enforce', requests: 100_000, window_seconds: 1 },
  abuse: { mode: 'enforce', limit_usd: '1000000' },
  token_guard: { mode: 'enforce', max_input_tokens: 4_000_000 },
  loop_guard: { mode: 'enforce', repeats: 1_000 },
  concurrency: { mode: 'enforce', requests: 100_000 },
  budgets: [{ scope: 'project', period: 'day', limit_usd: '1000000' }],
};

/** The binary in front of a provider, with every control in force. */
export async function startOurs(upstream: Listening): Promise<{ readonly panicly: Panicly; readonly contender: Contender }> {
  const panicly = await startPanicly();
  await panicly.connect({ baseUrl: `http://127.0.0.1:${upstream.port}/v1` }, { kind: 'openai' });
  await panicly.policy(OUT_OF_REACH);
  return { panicly, contender: contenderOf(panicly, 'panicly', panicly.liveKey) };
}

/** The binary as one who is called with a key. */
export function contenderOf(panicly: Panicly, name: string, key: string): Contender {
  return { name, pid: panicly.pid, port: Number(new URL(panicly.url).port), headers: { authorization: `Bearer ${key}` } };
}

/** A peer of ours that passes requests on. */
export async function startPass(name: string, file: string, upstream: Listening): Promise<Contender> {
  return { name, headers: { authorization: 'Bearer none' }, ...(await startPeer(file, `http://127.0.0.1:${upstream.port}`)) };
}

/** Sends the work to one of them. Throws when an answer has another status. */
export async function send(who: Contender, work: Work): Promise<Load> {
  const { failed, ...load } = await runPeer<Load & { readonly failed: number }>('client.ts', {
    ...work,
    port: who.port,
    headers: who.headers,
  });
  if (failed > 0) throw new Error(`${who.name} gave another answer ${failed} times`);
  return load;
}

/** A warm-up has so many parts, and ends with the first that comes after so long: one that is slow would take a minute for it. */
const WARM_UP_PARTS = 8;
const WARM_UP_SECONDS = 25;

async function warmUp(who: Contender, work: Work, requests: number): Promise<void> {
  const part = { ...work, requests: Math.ceil(requests / WARM_UP_PARTS) };
  let seconds = 0;
  for (let sent = 0; sent < requests && seconds < WARM_UP_SECONDS; sent += part.requests) seconds += (await send(who, part)).seconds;
}

/** Lets them do the same work in turns, so that a noisy minute hits all of them. The first `warmUpRequests` of each do not count. */
export async function inTurns(contenders: readonly Contender[], work: Work, rounds: number, warmUpRequests: number): Promise<Cost[]> {
  for (const who of contenders) await warmUp(who, work, warmUpRequests);
  const measured = contenders.map((who) => ({ who, cpu: [] as number[], loads: [] as Load[] }));
  for (let round = 0; round < rounds; round++) {
    for (const { who, cpu, loads } of measured) {
      const before = treeCpuMicroseconds(who.pid);
      const load = await send(who, work);
      cpu.push((treeCpuMicroseconds(who.pid) - before) / load.requests);
      loads.push(load);
    }
  }
  return measured.map(({ who, cpu, loads }) => ({
    who,
    cpuMicroseconds: median(cpu),
    rounds: cpu,
    requestsPerSecond: median(loads.map(({ requests, seconds }) => requests / seconds)),
    p50Ms: median(loads.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(loads.map(({ p99Ms }) => p99Ms)),
    peakMemoryMb: treeMemory(who.pid).peakKb / 1024,
  }));
}

/** How many times the CPU of `other` one takes: the median of the rounds. */
export function timesTheCost(one: Cost, other: Cost): number {
  return median(one.rounds.map((cpu, round) => cpu / other.rounds[round]!));
}

/** The cost of the contender of this name, or null when it was not there. */
export function costOf(costs: readonly Cost[], name: string): Cost | null {
  return costs.find(({ who }) => who.name === name) ?? null;
}
