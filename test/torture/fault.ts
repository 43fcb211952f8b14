import { join } from 'node:path';
import { eventually, startPanicly, type Panicly } from '../support/binary.ts';
import { killFindings, OUT_OF_REACH } from '../support/kill-rounds.ts';
import { markerOf, mixedProvider, type Answered } from '../support/mixed-load.ts';
import { startMockProvider, type MockProvider } from '../support/mock-provider.ts';
import { Exchange } from './kit/exchange.ts';
import { Findings, inLanes, portOf, reasonOf, stopFindings, verifyFindings } from './kit/judge.ts';
import { Injection, workersOf, type Fault } from './kit/strace.ts';
import { sized, type Row, type Size } from './row.ts';
import type { Line } from './table.ts';

/** Faults in the writer's own calls: each kind at each of its first calls, once and lasting; every fifth time the process is killed over it. */
export const fault: Row = {
  name: 'fault',
  needs: [{ program: 'strace', debianPackage: 'strace' }],
  limitMinutes: { full: 10, quick: 2, bite: 1 },
  bites: [
    {
      name: 'a failed sync is taken for a commit',
      edits: [
        {
          file: 'src/ledger/sqlite/transactor.ts',
          find: "return isFull(error) ? this.#rollBack(error) : { kind: 'uncertain', error, value };",
          replace: "return { kind: 'committed', value };",
        },
      ],
    },
  ],
  run: attack,
};

const POINTS: Readonly<Record<Size, number>> = { full: 304, quick: 24, bite: 16 };
const CLIENTS = 8;
const LOAD_MS = 200;
const LASTING_MS = 450;
const KILLED_EVERY = 5;
/** Every so many points the fault is in the file itself, which is only written when the log is moved into it: that takes a little longer to come. */
const IN_FILE_EVERY = 11;
const STRIKES_WITHIN_MS = 3_000;
const HEALED_WITHIN_MS = 5_000;

interface Seen {
  readonly arrived: string[];
  readonly answered: Answered[];
  readonly findings: Findings;
  injected: number;
  struck: number;
  readonly refused: string[];
  slowestHealMs: number;
}

async function attack(size: Size): Promise<Line> {
  const points = faultsOf(sized(size, POINTS));
  const provider = await startMockProvider({ script: mixedProvider });
  const panicly = await startPanicly();
  const seen: Seen = { arrived: [], answered: [], findings: new Findings(), injected: 0, struck: 0, refused: [], slowestHealMs: 0 };
  try {
    await panicly.connect(provider, { kind: 'openai' });
    await panicly.policy(OUT_OF_REACH);
    for (const [index, point] of points.entries()) {
      await strike({ panicly, provider, seen, index }, point);
      if (index % 50 === 49) console.error(`fault: ${index + 1} of ${points.length}`);
    }
    seen.arrived.push(...provider.seen.map(markerOf));
    const stopped = await stopFindings(panicly);
    const ledger = join(panicly.dataDir, 'panicly.db');
    const sent = new Set(seen.arrived);
    for (const marker of seen.refused) if (sent.has(marker)) seen.findings.add('refused with 503 and forwarded all the same', marker);
    const findings = [...stopped, ...seen.findings.list(), ...killFindings(ledger, seen), ...(await verifyFindings(panicly.dataDir))];
    if (seen.struck < points.length / 2) findings.push(`only ${seen.struck} of ${points.length} faults struck: this proves little`);
    return lineOf(points.length, seen, findings);
  } finally {
    await panicly.kill();
    await provider.close();
  }
}

function lineOf(points: number, seen: Seen, findings: readonly string[]): Line {
  const figures = [
    `${seen.struck} faults struck (${seen.injected} calls failed)`,
    `${seen.arrived.length} arrivals, ${seen.refused.length} refused with 503`,
    `served again after at most ${Math.round(seen.slowestHealMs)} ms`,
  ];
  return {
    attack: `a fault in the writer's pwrite and fsync at ${points} points: EIO and ENOSPC, once and lasting, every fifth with a kill`,
    goal: 'no forward without a durable decision, one settlement each, verify clean; 503, then healed',
    reached: figures.join('; '),
    findings,
  };
}

/** Every combination, each at the first call, then at the second, and so on. */
function faultsOf(count: number): Fault[] {
  const points: Fault[] = [];
  for (let nth = 1; points.length < count; nth++)
    for (const calls of ['fsync,fdatasync', 'pwrite64'])
      for (const error of ['EIO', 'ENOSPC'] as const) for (const isLasting of [false, true]) points.push({ calls, error, nth, isLasting });
  return points.slice(0, count);
}

interface Strike {
  readonly panicly: Panicly;
  readonly provider: MockProvider;
  readonly seen: Seen;
  readonly index: number;
}

async function strike({ panicly, seen, index }: Strike, point: Fault): Promise<void> {
  const inFile = index % IN_FILE_EVERY === IN_FILE_EVERY - 1 ? { path: join(panicly.dataDir, 'panicly.db'), nth: 1 } : {};
  const injection = await Injection.into(workersOf(panicly.pid), { ...point, ...inFile });
  const state = { ended: false };
  const load = inLanes(Array(CLIENTS).keys(), CLIENTS, async (lane) => {
    for (let turn = 0; !state.ended; turn++) await request(panicly, seen, `fault${index}-${lane}-${turn}`);
  });
  await Bun.sleep(point.isLasting ? LASTING_MS : LOAD_MS);
  for (let waitedMs = 0; injection.injected === 0 && waitedMs < STRIKES_WITHIN_MS; waitedMs += 10) await Bun.sleep(10);
  if (index % KILLED_EVERY === KILLED_EVERY - 1) await panicly.kill();
  await injection.end();
  seen.injected += injection.injected;
  if (injection.injected > 0) seen.struck++;
  const healingFromMs = performance.now();
  state.ended = true;
  await load;
  if (index % KILLED_EVERY === KILLED_EVERY - 1) return await panicly.start();
  const healed = await healsWithin(panicly, seen, index);
  if (!healed) seen.findings.add('nothing is served after the fault is over', `point ${JSON.stringify(point)}`);
  seen.slowestHealMs = Math.max(seen.slowestHealMs, performance.now() - healingFromMs);
}

async function request(panicly: Panicly, seen: Seen, marker: string): Promise<boolean> {
  const body = JSON.stringify({
    model: 'gpt-4.1-mini',
    messages: [{ role: 'user', content: `Name a tree for ${marker}.` }],
    user: marker,
    max_tokens: 50,
    stream: marker.endsWith('3'),
  });
  const got = await new Exchange({ port: portOf(panicly), key: panicly.liveKey, body }).done;
  const decisionId = got.headers['x-panicly-decision-id'];
  if (decisionId !== undefined) seen.answered.push({ marker, decisionId, status: got.status });
  if (got.status === 503) {
    seen.refused.push(marker);
    const reason = reasonOf(got.body);
    if (reason !== 'ledger_unavailable') seen.findings.add(`refused as ${reason}`, marker);
    await Bun.sleep(10);
  }
  if (got.end === 'nothing') await Bun.sleep(20);
  return got.status === 200;
}

async function healsWithin(panicly: Panicly, seen: Seen, index: number): Promise<boolean> {
  const untilMs = performance.now() + HEALED_WITHIN_MS;
  try {
    return await eventually('a request is served again', async () => {
      if (performance.now() > untilMs) throw new Error('too late');
      for (let turn = 0; turn < 3; turn++) if (await request(panicly, seen, `heal${index}-${performance.now()}`)) return true;
      return false;
    });
  } catch {
    return false;
  }
}
