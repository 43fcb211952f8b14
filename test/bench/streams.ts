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
/** Longer than freed memory is kept from the system: what the requests of before have left is not what streams take. */
const IDLE_MS = 12_000;

interface Shape {
  readonly streams: number;
  readonly rounds: number;
}

/** Shapes that the same processes can take: the provider's pause is its own. */
interface Pace {
  readonly pauseMs: number;
  readonly shapes: readonly Shape[];
  /** Streams at the same time in a run of the warm-up, and how many of those runs come on top of the first run of each shape. */
  readonly warmUp: Shape;
}

const PACES: readonly Pace[] = [
  {
    pauseMs: 5,
    shapes: [
      { streams: 50, rounds: 7 },
      { streams: 200, rounds: 5 },
    ],
    warmUp: { streams: 200, rounds: 6 },
  },
  { pauseMs: 50, shapes: [{ streams: 1_000, rounds: 2 }], warmUp: { streams: 1_000, rounds: 0 } },
];

interface Measured {
  readonly who: Contender;
  readonly cpuPerEvent: number[];
  readonly firstByteMs: number[];
  /** Growth of the first run with so many streams, by stream: later ones find what the process has kept. */
  memoryKb: number;
}

/** Streams of 200 chunks, against a bare pass-through of the stream, one whose chunks go through JavaScript, and the provider itself. */
export async function streams(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const pace of PACES) rows.push(...(await onePace(pace)));
  return rows;
}

async function onePace({ pauseMs, shapes, warmUp }: Pace): Promise<Row[]> {
  const upstream = await startPeer('upstream.ts', String(CHUNKS), String(pauseMs));
  const { panicly, contender } = await startOurs(upstream);
  await using _ours = panicly;
  const provider = direct(upstream);
  const bare = await startPass('bare Bun.serve', 'bare-bun.ts', upstream);
  const relay = await startPass('bare JavaScript', 'bare-relay.ts', upstream);
  const gateways = [bare, relay, contender];
  for (const who of gateways) await send(who, { body: 'small', connections: 64, requests: WARM_UP_REQUESTS });
  const measured = shapes.map(() => [provider, ...gateways].map((who) => ({ who, cpuPerEvent: [], firstByteMs: [], memoryKb: 0 })));
  for (const [index, { streams: count }] of shapes.entries()) {
    await Bun.sleep(IDLE_MS);
    for (const one of measured[index]!) one.memoryKb = await growth(one.who, count);
  }
  // The compilers need some thousands of streams before the code is as it stays.
  for (const who of gateways) for (let round = 0; round < warmUp.rounds; round++) await run(who, warmUp.streams);
  const rows: Row[] = [];
  for (const [index, shape] of shapes.entries()) {
    for (let round = 0; round < shape.rounds; round++) for (const one of measured[index]!) await measure(one, shape.streams);
    rows.push(...rowsOf(`${shape.streams} streams, a chunk every ${pauseMs} ms`, measured[index]!));
  }
  return rows;
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

async function measure({ who, cpuPerEvent, firstByteMs }: Measured, streams: number): Promise<void> {
  const before = treeCpuMicroseconds(who.pid);
  const ran = await run(who, streams);
  cpuPerEvent.push((treeCpuMicroseconds(who.pid) - before) / ran.events);
  firstByteMs.push(ran.firstByteMs);
}

/** How much more memory a run takes at its height than there was before, in kilobytes for each stream. */
async function growth(who: Contender, streams: number): Promise<number> {
  const before = treeMemory(who.pid).nowKb;
  let most = before;
  const sampler = setInterval(() => (most = Math.max(most, treeMemory(who.pid).nowKb)), SAMPLE_MS);
  try {
    await run(who, streams);
  } finally {
    clearInterval(sampler);
  }
  return (most - before) / streams;
}

function direct({ pid, port }: Listening): Contender {
  return { name: 'no gateway', pid, port, headers: {} };
}

function rowsOf(shape: string, [provider, bare, relay, ours]: readonly Measured[]): Row[] {
  const times = (one: Measured) => median(one.cpuPerEvent.map((cpu, round) => cpu / bare!.cpuPerEvent[round]!));
  const ratio = times(ours!);
  const added = median(ours!.firstByteMs) - median(provider!.firstByteMs);
  const sync = fsyncMs();
  const { memoryKb } = ours!;
  const cpu = (one: Measured) => `${median(one.cpuPerEvent).toFixed(1)} us CPU a chunk`;
  const first = (one: Measured) => `first byte ${median(one.firstByteMs).toFixed(1)} ms`;
  const memory = (one: Measured) => `${one.memoryKb.toFixed(0)} kB a stream`;
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
