import { statSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, startPanicly, type Panicly } from '../support/binary.ts';
import { OUT_OF_REACH } from '../support/kill-rounds.ts';
import { ledgerDifferences } from '../support/ledger-file.ts';
import { median } from '../support/percentile.ts';
import { Findings, stopFindings, verifyFindings } from './kit/judge.ts';
import { helper, openDescriptors, residentBytes } from './kit/process.ts';
import { flood } from './overload/wrk.ts';
import { sized, type Row, type Size } from './row.ts';
import { Collector, type Kept } from './soak/rest.ts';
import type { Line } from './table.ts';

/**
 * Streams, one after the other, for minutes: what is kept of them must not grow. Memory that is merely in use says little: garbage comes
 * and goes with the collector, from 160 to 270 MB under one and the same load. So what is judged is what is left after a collection,
 * and it is judged sharply: one object for every twenty streams is seen.
 */
export const soak: Row = {
  name: 'soak',
  needs: [{ program: 'wrk', debianPackage: 'wrk' }],
  limitMinutes: { full: 20, quick: 2, bite: 1 },
  bites: [
    {
      name: 'every attempt is kept',
      edits: [
        {
          file: 'src/gateway/attempt.ts',
          find: 'context.inFlight.add(this);',
          replace:
            'context.inFlight.add(this);\n    ((globalThis as { kept?: unknown[] }).kept ??= []).push(this, new Uint8Array(50_000).fill(1));',
        },
      ],
    },
    {
      name: 'a little object of every attempt is kept',
      edits: [
        {
          file: 'src/gateway/attempt.ts',
          find: 'context.inFlight.add(this);',
          replace: 'context.inFlight.add(this);\n    ((globalThis as { kept?: unknown[] }).kept ??= []).push({ id: this.id });',
        },
      ],
    },
    {
      name: 'a descriptor stays open now and then',
      edits: [
        {
          file: 'src/gateway/attempt.ts',
          find: 'context.inFlight.add(this);',
          replace:
            "context.inFlight.add(this);\n    if (decision.seq % 10 === 0) process.getBuiltinModule('node:fs').openSync('/dev/null', 'r');",
        },
      ],
    },
  ],
  run: attack,
};

const CLIENTS = 48;
const PATIENCE_SECONDS = 600;
const LOOK_EVERY_MS = 200;
const BODY = JSON.stringify({ model: 'gpt-4.1-mini', messages: [{ role: 'user', content: 'Name a tree.' }], max_tokens: 50, stream: true });

/** How long to stream. */
interface Stretch {
  readonly streams: number;
  readonly legs: number;
  /** The size that the ledger has to have. */
  readonly ledgerBytes: number;
}

interface Plan {
  readonly legSeconds: number;
  /** Before the first look that counts: the runtime takes what it works with, and compiles. */
  readonly warmUp: Stretch;
  readonly counted: Stretch;
  /** Of the memory after a collection. */
  readonly mostGrowth: number;
}

/**
 * The one table that fills with the number of streams: SQLite keeps 32 MB of the ledger's pages for the writer. Measured after collections:
 * 133, 140, 152, 162 MB at 24,000, 53,000, 83,000, 115,000 streams, then 162 MB at each look until 381,000; and with a cache of 2 MB
 * 126 MB from the first look on.
 */
const CACHE_IS_FULL_BYTES = 36 * 1_048_576;

/** The small ones end while that cache fills: 16 % was seen in one. */
const PLANS: Readonly<Record<Size, Plan>> = {
  full: {
    legSeconds: 10,
    warmUp: { streams: 50_000, legs: 2, ledgerBytes: CACHE_IS_FULL_BYTES },
    counted: { streams: 250_000, legs: 9, ledgerBytes: 0 },
    mostGrowth: 0.1,
  },
  quick: {
    legSeconds: 1,
    warmUp: { streams: 3_000, legs: 2, ledgerBytes: 0 },
    counted: { streams: 6_000, legs: 9, ledgerBytes: 0 },
    mostGrowth: 0.3,
  },
  bite: {
    legSeconds: 1,
    warmUp: { streams: 2_000, legs: 2, ledgerBytes: 0 },
    counted: { streams: 4_000, legs: 6, ledgerBytes: 0 },
    mostGrowth: 0.3,
  },
};
/** Objects that may be more after a collection, as a share of the streams between. What the runtime itself keeps moves by some hundreds. */
const OBJECTS_A_STREAM = 0.05;
const OBJECTS_OF_RUNTIME = 1_500;
/** Memory under load may not drift away from what is kept: garbage must be collected by itself. Read between collections of ours. */
const MOST_DRIFT = 0.3;

/** What a moment of rest shows. */
interface Sample {
  readonly streams: number;
  /** The middle of the memory that was in use during the leg. */
  readonly busyBytes: number;
  readonly descriptors: number;
}

async function attack(size: Size): Promise<Line> {
  const plan = sized(size, PLANS);
  const findings = new Findings();
  const collector = new Collector();
  const provider = await helper(join(import.meta.dir, 'soak/provider.ts'), []);
  const panicly = await startPanicly({ env: collector.env });
  try {
    await panicly.connect({ baseUrl: `http://127.0.0.1:${provider.port}/v1` }, { kind: 'openai' });
    await panicly.policy({ ...OUT_OF_REACH, loop_guard: { mode: 'off' }, burst: { mode: 'off' } });
    const warm = await streamed(panicly, findings, plan.legSeconds, plan.warmUp);
    const before = await collector.keptBy(panicly);
    const counted = await streamed(panicly, findings, plan.legSeconds, plan.counted);
    const after = await collector.keptBy(panicly);
    const growth = judgeKept(findings, before, after, { streams: counted.at(-1)!.streams, mostGrowth: plan.mostGrowth });
    const drift = judgeDrift(findings, counted);
    const descriptors = counted.map((sample) => sample.descriptors);
    // The pool of connections to providers keeps up to 64.
    const spread = Math.max(...descriptors.slice(-2)) - Math.max(...descriptors.slice(0, 2));
    if (spread > 20) findings.add(`${spread} descriptors more than before`);
    const stopped = await stopFindings(panicly);
    const rows = [...ledgerDifferences(join(panicly.dataDir, 'panicly.db')), ...(await verifyFindings(panicly.dataDir))];
    return {
      attack: `${warm.at(-1)!.streams + counted.at(-1)!.streams} streams over ${CLIENTS} connections`,
      goal: `memory growth after the warm-up under ${plan.mostGrowth * 100} %, no object kept, descriptors flat`,
      reached:
        `after a collection ${mb(before.bytes)} MB with ${before.objects} objects at ${warm.at(-1)!.streams} streams, ${mb(after.bytes)} MB with ${after.objects} at the end (${percent(growth)}); ` +
        `under load ${mb(drift.first)}, then ${mb(drift.last)} MB; descriptors from ${Math.min(...descriptors)} to ${Math.max(...descriptors)}`,
      findings: [...findings.list(), ...stopped, ...rows],
    };
  } finally {
    await panicly.kill();
    provider.end();
  }
}

const mb = (bytes: number): string => (bytes / 1_048_576).toFixed(0);
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

/** By which share the memory grew that is kept after a collection. */
function judgeKept(
  findings: Findings,
  before: Kept,
  after: Kept,
  { streams, mostGrowth }: { readonly streams: number; readonly mostGrowth: number },
): number {
  const growth = after.bytes / before.bytes - 1;
  if (!(growth < mostGrowth)) findings.add(`memory after a collection grew by ${percent(growth)}`);
  const heapGrowth = after.heapBytes / before.heapBytes - 1;
  if (!(heapGrowth < mostGrowth)) findings.add(`the heap after a collection grew by ${percent(heapGrowth)}`);
  const objects = after.objects - before.objects;
  if (objects > OBJECTS_OF_RUNTIME + OBJECTS_A_STREAM * streams) findings.add(`${objects} objects more after a collection`);
  return growth;
}

/** Memory under load in the first and in the last third of the legs. */
function judgeDrift(findings: Findings, samples: readonly Sample[]): { readonly first: number; readonly last: number } {
  const third = Math.max(1, Math.floor(samples.length / 3));
  const middle = (some: readonly Sample[]): number => median(some.map(({ busyBytes }) => busyBytes));
  const [first, last] = [middle(samples.slice(0, third)), middle(samples.slice(-third))];
  if (!(last / first - 1 < MOST_DRIFT)) findings.add(`memory under load went from ${mb(first)} to ${mb(last)} MB`);
  return { first, last };
}

/** Legs of streams with a rest after each, in which is looked. */
async function streamed(panicly: Panicly, findings: Findings, legSeconds: number, least: Stretch): Promise<Sample[]> {
  const samples: Sample[] = [];
  const ledger = join(panicly.dataDir, 'panicly.db');
  const untilMs = performance.now() + PATIENCE_SECONDS * 1000;
  for (let done = 0; done < least.streams || samples.length < least.legs || statSync(ledger).size < least.ledgerBytes;) {
    if (performance.now() > untilMs) throw new Error(`only ${done} streams in ${PATIENCE_SECONDS} s`);
    const busy: number[] = [];
    const looking = setInterval(() => busy.push(residentBytes(panicly.pid)), LOOK_EVERY_MS);
    const leg = await flood({ url: panicly.url, key: panicly.liveKey, clients: CLIENTS, seconds: legSeconds, pauseMs: 0, body: BODY });
    clearInterval(looking);
    done += leg.answers.get('200') ?? 0;
    for (const [kind, count] of leg.answers)
      if (kind !== '200' && count > leg.seconds) findings.add(`more than one a second answered with ${kind}`, String(count));
    await eventually('nothing is in flight', async () => (await panicly.metric('panicly_requests_in_flight')) === 0);
    await Bun.sleep(500);
    samples.push({ streams: done, busyBytes: median(busy), descriptors: openDescriptors(panicly.pid) });
  }
  return samples;
}
