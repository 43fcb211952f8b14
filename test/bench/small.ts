import { costOf, inTurns, startOurs, startPass, timesTheCost, type Contender, type Cost, type Work } from './contenders.ts';
import { fsyncMs } from './fsync.ts';
import { startOthers } from './others.ts';
import { startPeer, type Listening } from './processes.ts';
import { figure, judged, type Row } from './table.ts';

/** The compiler is at work for so many requests. */
const WARM_UP = 40_000;
const AT_64: Work = { body: 'small', connections: 64, requests: 8_000 };
const AT_1: Work = { body: 'small', connections: 1, requests: 1_500 };
const SHAPE_64 = 'small JSON chat, 64 connections';
const SHAPE_1 = 'small JSON chat, 1 connection';

/** CPU is at most this many times that of a bare Elysia pass-through, with every control in force and every decision on disk. */
const GREATEST_RATIO = 2;

/** A small chat completion: against bare pass-throughs, nginx and Portkey. */
export async function smallChat(): Promise<Row[]> {
  const upstream = await startPeer('upstream.ts');
  const { panicly, contender } = await startOurs(upstream);
  await using _ours = panicly;
  const others = await startOthers(upstream);
  const contenders = [
    await startPass('bare Bun.serve', 'bare-bun.ts', upstream),
    await startPass('bare Elysia', 'bare-elysia.ts', upstream),
    contender,
    ...others.contenders,
  ];
  const many = await inTurns(contenders, AT_64, 7, WARM_UP);
  const single = await inTurns([direct(upstream), ...contenders], AT_1, 5, 0);
  return [...many.map((cost) => figure(SHAPE_64, cost.who.name, figuresOf(cost))), ...others.rows, ...judgedCpu(many), ...latency(single)];
}

function figuresOf(cost: Cost): string {
  const { cpuMicroseconds, requestsPerSecond, p50Ms, p99Ms, peakMemoryMb } = cost;
  return `${cpuMicroseconds.toFixed(1)} us CPU, ${requestsPerSecond.toFixed(0)}/s, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, ${peakMemoryMb.toFixed(0)} MB`;
}

function judgedCpu(costs: readonly Cost[]): Row[] {
  const ours = costOf(costs, 'panicly')!;
  const ratio = timesTheCost(ours, costOf(costs, 'bare Elysia')!);
  const rows = [
    judged(SHAPE_64, 'panicly / bare Elysia', `${ratio.toFixed(2)} times the CPU`, `at most ${GREATEST_RATIO}`, ratio <= GREATEST_RATIO),
  ];
  for (const [name, least] of [
    ['Portkey on Bun', 2.5],
    ['Portkey on Node', 10],
  ] as const) {
    const other = costOf(costs, name);
    if (other === null) continue;
    const times = timesTheCost(other, ours);
    rows.push(judged(SHAPE_64, `${name} / panicly`, `${times.toFixed(2)} times the CPU`, `at least ${least}`, times >= least));
  }
  return rows;
}

/** The provider itself, to know what the way through us adds. */
function direct({ pid, port }: Listening): Contender {
  return { name: 'no gateway', pid, port, headers: {} };
}

function latency(costs: readonly Cost[]): Row[] {
  const bare = costOf(costs, 'no gateway')!;
  const sync = fsyncMs();
  return costs.map((cost) => {
    const added = cost.p50Ms - bare.p50Ms;
    const text = `p50 ${cost.p50Ms.toFixed(2)} ms, p99 ${cost.p99Ms.toFixed(2)} ms`;
    if (cost.who.name !== 'panicly') return figure(SHAPE_1, cost.who.name, text);
    const most = 1 + sync;
    return judged(
      SHAPE_1,
      'panicly',
      `${text}: ${added.toFixed(2)} ms added`,
      `under 1.0 ms and an fsync (${sync.toFixed(2)} ms)`,
      added < most,
    );
  });
}
