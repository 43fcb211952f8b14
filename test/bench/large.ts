import { costOf, inTurns, startOurs, startPass, timesTheCost, type Work } from './contenders.ts';
import { startPeer } from './processes.ts';
import { figure, judged, type Row } from './table.ts';

interface Shape {
  readonly name: string;
  readonly work: Work;
  /** Enough for the compilers to be done: they wait for thousands of calls. */
  readonly warmUp: number;
  readonly rounds: number;
  /** Times the CPU of a bare pass-through that it may cost. */
  readonly most: number;
}

const SHAPES: readonly Shape[] = [
  { name: 'prompt of 100 kB', work: { body: 'prompt-100000', connections: 8, requests: 800 }, warmUp: 10_000, rounds: 7, most: 4 },
  { name: 'prompt of 1 MB', work: { body: 'prompt-1000000', connections: 4, requests: 120 }, warmUp: 240, rounds: 5, most: 4 },
  { name: 'image of 10 MB', work: { body: 'image-10000000', connections: 2, requests: 24 }, warmUp: 24, rounds: 5, most: 4 },
  {
    name: 'embeddings answer of 1 MB',
    work: { body: 'embeddings', path: '/v1/embeddings', connections: 8, requests: 400 },
    warmUp: 5_000,
    rounds: 7,
    most: 1.3,
  },
];

/** Large bodies both ways, against a bare pass-through. */
export async function largeBodies(): Promise<Row[]> {
  const upstream = await startPeer('upstream.ts');
  const { panicly, contender } = await startOurs(upstream);
  await using _ours = panicly;
  const bare = await startPass('bare Bun.serve', 'bare-bun.ts', upstream);
  const rows: Row[] = [];
  for (const { name, work, warmUp, rounds, most } of SHAPES) {
    const costs = await inTurns([bare, contender], work, rounds, warmUp);
    const [ours, theirs] = [costOf(costs, 'panicly')!, costOf(costs, bare.name)!];
    const ratio = timesTheCost(ours, theirs);
    rows.push(
      figure(name, bare.name, `${theirs.cpuMicroseconds.toFixed(0)} us CPU`),
      judged(
        name,
        'panicly',
        `${ours.cpuMicroseconds.toFixed(0)} us CPU, ${ratio.toFixed(2)} times`,
        `at most ${most} times`,
        ratio <= most,
      ),
    );
  }
  return rows;
}
