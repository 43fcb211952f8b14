import { join } from 'node:path';
import { eventually, startPanicly, type Panicly } from '../support/binary.ts';
import { OUT_OF_REACH } from '../support/kill-rounds.ts';
import { ledgerDifferences } from '../support/ledger-file.ts';
import { median } from '../support/percentile.ts';
import { Findings, stopFindings, verifyFindings } from './kit/judge.ts';
import { helper, openDescriptors, residentBytes } from './kit/process.ts';
import { flood } from './overload/wrk.ts';
import { sized, type Row, type Size } from './row.ts';
import type { Line } from './table.ts';

/** Streams, one after the other, for minutes: what is kept of them must not grow. */
export const soak: Row = {
  name: 'soak',
  needs: [{ program: 'wrk', debianPackage: 'wrk' }],
  limitMinutes: { full: 12, quick: 2, bite: 1 },
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
const LEAST_SAMPLES = 9;
const PATIENCE_SECONDS = 600;
const BODY = JSON.stringify({ model: 'gpt-4.1-mini', messages: [{ role: 'user', content: 'Name a tree.' }], max_tokens: 50, stream: true });

interface Plan {
  readonly streams: number;
  readonly legSeconds: number;
  /** Streams before the first sample that counts: the runtime takes what it works with, and compiles. */
  readonly warmUp: number;
  readonly mostGrowth: number;
}

/** A short run sees only a leak that is large: a heap grows at first. */
const PLANS: Readonly<Record<Size, Plan>> = {
  full: { streams: 250_000, legSeconds: 10, warmUp: 50_000, mostGrowth: 0.1 },
  quick: { streams: 9_000, legSeconds: 1, warmUp: 3_000, mostGrowth: 0.4 },
  bite: { streams: 6_000, legSeconds: 1, warmUp: 2_000, mostGrowth: 0.4 },
};

/** What a moment of rest shows. */
interface Sample {
  readonly streams: number;
  readonly bytes: number;
  readonly descriptors: number;
}

async function attack(size: Size): Promise<Line> {
  const plan = sized(size, PLANS);
  const findings = new Findings();
  const provider = await helper(join(import.meta.dir, 'soak/provider.ts'), []);
  const panicly = await startPanicly();
  try {
    await panicly.connect({ baseUrl: `http://127.0.0.1:${provider.port}/v1` }, { kind: 'openai' });
    await panicly.policy({ ...OUT_OF_REACH, loop_guard: { mode: 'off' }, burst: { mode: 'off' } });
    const samples = await streamed(panicly, findings, plan);
    const counted = samples.filter(({ streams }) => streams >= plan.warmUp);
    const third = Math.max(1, Math.floor(counted.length / 3));
    const [first, last] = [counted.slice(0, third), counted.slice(-third)].map((some) => median(some.map(({ bytes }) => bytes))) as [
      number,
      number,
    ];
    const growth = last / first - 1;
    const descriptors = counted.map((sample) => sample.descriptors);
    if (!(growth < plan.mostGrowth)) findings.add(`memory grew by ${(growth * 100).toFixed(1)} %`);
    // The pool of connections to providers keeps up to 64.
    const spread = Math.max(...descriptors.slice(-2)) - Math.max(...descriptors.slice(0, 2));
    if (spread > 20) findings.add(`${spread} descriptors more than before`);
    const stopped = await stopFindings(panicly);
    const rows = [...ledgerDifferences(join(panicly.dataDir, 'panicly.db')), ...(await verifyFindings(panicly.dataDir))];
    const mb = (bytes: number) => (bytes / 1_048_576).toFixed(0);
    return {
      attack: `${samples.at(-1)!.streams} streams over ${CLIENTS} connections`,
      goal: `memory growth after the warm-up under ${plan.mostGrowth * 100} %, descriptors flat`,
      reached: `${mb(first)} MB after ${counted[0]!.streams} streams, ${mb(last)} MB at the end (${(growth * 100).toFixed(1)} %); descriptors from ${Math.min(...descriptors)} to ${Math.max(...descriptors)}`,
      findings: [...findings.list(), ...stopped, ...rows],
    };
  } finally {
    await panicly.kill();
    provider.end();
  }
}

/** Legs of streams with a rest after each, in which is looked. */
async function streamed(panicly: Panicly, findings: Findings, { streams, legSeconds }: Plan): Promise<Sample[]> {
  const samples: Sample[] = [];
  const untilMs = performance.now() + PATIENCE_SECONDS * 1000;
  for (let done = 0; done < streams || samples.length < LEAST_SAMPLES;) {
    if (performance.now() > untilMs) throw new Error(`only ${done} streams in ${PATIENCE_SECONDS} s`);
    const leg = await flood({ url: panicly.url, key: panicly.liveKey, clients: CLIENTS, seconds: legSeconds, pauseMs: 0, body: BODY });
    done += leg.answers.get('200') ?? 0;
    for (const [kind, count] of leg.answers)
      if (kind !== '200' && count > leg.seconds) findings.add(`more than one a second answered with ${kind}`, String(count));
    await eventually('nothing is in flight', async () => (await panicly.metric('panicly_requests_in_flight')) === 0);
    await Bun.sleep(500);
    samples.push({ streams: done, bytes: residentBytes(panicly.pid), descriptors: openDescriptors(panicly.pid) });
  }
  return samples;
}
