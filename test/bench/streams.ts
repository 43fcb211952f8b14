import { median } from '../support/percentile.ts';
import { send, startOurs, startPass, type Contender } from './contenders.ts';
import { fsyncMs } from './fsync.ts';
import { runPeer, startPeer, treeCpuMicroseconds, treeMemory, type Listening } from './processes.ts';
import { figure, judged, type Row } from './table.ts';

const CHUNKS = 200;
const GREATEST_RATIO = 1.6;
const FIRST_BYTE_MS = 2;
const MEMORY_KB = 40;
const SAMPLE_MS = 100;
const WARM_UP_REQUESTS = 30_000;

interface Shape {
  readonly streams: number;
  readonly pauseMs: number;
  readonly rounds: number;
}

const SHAPES: readonly Shape[] = [
  { streams: 50, pauseMs: 5, rounds: 7 },
  { streams: 200, pauseMs: 5, rounds: 5 },
  { streams: 1_000, pauseMs: 50, rounds: 2 },
];

interface Measured {
  readonly who: Contender;
  readonly cpuPerEvent: number[];
  readonly firstByteMs: number[];
  readonly memoryKb: number[];
}

/** Streams of 200 chunks, against a bare pass-through of the stream, one whose chunks go through JavaScript, and the provider itself. */
export async function streams(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const shape of SHAPES) rows.push(...(await oneShape(shape)));
  return rows;
}

async function oneShape(shape: Shape): Promise<Row[]> {
  const upstream = await startPeer('upstream.ts', String(CHUNKS), String(shape.pauseMs));
  const { panicly, contender } = await startOurs(upstream);
  await using _ours = panicly;
  const bare = await startPass('bare Bun.serve', 'bare-bun.ts', upstream);
  const relay = await startPass('bare JavaScript', 'bare-relay.ts', upstream);
  const contenders = [direct(upstream), bare, relay, contender];
  const measured: Measured[] = contenders.map((who) => ({ who, cpuPerEvent: [], firstByteMs: [], memoryKb: [] }));
  for (const who of contenders) await warmUp(who, shape.streams);
  for (let round = 0; round < shape.rounds; round++) for (const one of measured) await measure(one, shape.streams);
  return rowsOf(shape, measured);
}

/** The compiler and the heap need work before they are as they stay. */
async function warmUp(who: Contender, streams: number): Promise<void> {
  if (who.name !== 'no gateway') await send(who, { body: 'small', connections: 64, requests: WARM_UP_REQUESTS });
  await run(who, streams);
}

interface Ran {
  readonly events: number;
  readonly firstByteMs: number;
}

async function run(who: Contender, streams: number): Promise<Ran> {
  const { failed, firstFailure, ...ran } = await runPeer<Ran & { readonly failed: number; readonly firstFailure: string }>(
    'stream-client.ts',
    {
      port: who.port,
      headers: who.headers,
      streams,
    },
  );
  if (failed > 0) throw new Error(`${who.name} did not finish ${failed} streams: ${firstFailure}`);
  return ran;
}

async function measure({ who, cpuPerEvent, firstByteMs, memoryKb }: Measured, streams: number): Promise<void> {
  const before = { cpu: treeCpuMicroseconds(who.pid), memory: treeMemory(who.pid).nowKb };
  let most = before.memory;
  const sampler = setInterval(() => (most = Math.max(most, treeMemory(who.pid).nowKb)), SAMPLE_MS);
  try {
    const ran = await run(who, streams);
    cpuPerEvent.push((treeCpuMicroseconds(who.pid) - before.cpu) / ran.events);
    firstByteMs.push(ran.firstByteMs);
    memoryKb.push((most - before.memory) / streams);
  } finally {
    clearInterval(sampler);
  }
}

function direct({ pid, port }: Listening): Contender {
  return { name: 'no gateway', pid, port, headers: {} };
}

function rowsOf({ streams: count, pauseMs }: Shape, [provider, bare, relay, ours]: readonly Measured[]): Row[] {
  const shape = `${count} streams, a chunk every ${pauseMs} ms`;
  const times = (one: Measured) => median(one.cpuPerEvent.map((cpu, round) => cpu / bare!.cpuPerEvent[round]!));
  const ratio = times(ours!);
  const added = median(ours!.firstByteMs) - median(provider!.firstByteMs);
  const sync = fsyncMs();
  const memoryKb = median(ours!.memoryKb);
  const cpu = (one: Measured) => `${median(one.cpuPerEvent).toFixed(1)} us CPU a chunk`;
  const first = (one: Measured) => `first byte ${median(one.firstByteMs).toFixed(1)} ms`;
  const memory = (one: Measured) => `${median(one.memoryKb).toFixed(0)} kB a stream`;
  return [
    figure(shape, 'no gateway', first(provider!)),
    figure(shape, bare!.who.name, `${cpu(bare!)}, ${first(bare!)}, ${memory(bare!)}`),
    figure(shape, relay!.who.name, `${cpu(relay!)}, ${times(relay!).toFixed(2)} times, ${first(relay!)}, ${memory(relay!)}`),
    judged(shape, 'panicly', `${cpu(ours!)}, ${ratio.toFixed(2)} times`, `at most ${GREATEST_RATIO} times`, ratio <= GREATEST_RATIO),
    judged(
      shape,
      'panicly',
      `${first(ours!)}: ${added.toFixed(1)} ms added`,
      `under ${FIRST_BYTE_MS} ms and an fsync (${sync.toFixed(2)} ms)`,
      added < FIRST_BYTE_MS + sync,
    ),
    judged(shape, 'panicly', `${memoryKb.toFixed(0)} kB a stream`, `under ${MEMORY_KB} kB`, memoryKb < MEMORY_KB),
  ];
}
