import { join } from 'node:path';
import { masterKeyHome } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import { CHAIN_SEAL } from '../../src/ledger/sqlite/chain/key.ts';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { OPEN_POLICY, runPanicly, startPanicly, temporaryDirectory, type Panicly } from '../support/binary.ts';
import { fillLedger } from '../support/long-ledger.ts';
import { percentile } from '../support/percentile.ts';
import { sized, type Row, type Size } from './row.ts';
import type { Line } from './table.ts';

/** Backups one after the other while requests come at a steady rate; all are restored. */
export const backup: Row = {
  name: 'backup',
  limitMinutes: { full: 12, quick: 2, bite: 2 },
  bites: [
    {
      name: 'the ledger is copied by the thread that serves requests',
      edits: [
        {
          file: 'src/ledger/sqlite/store.ts',
          find: "await this.#slowly('writeCopy', { from: this.reader.path, to: path });",
          replace: "(await import('./copy.ts')).copyLedger(this.reader.path, path);",
        },
      ],
    },
  ],
  run: attack,
};

const RATE = 300;
const DELAY_MS = 150;
const BASE_MS = 10_000;

/** A request: when it was sent and how long its whole answer took. */
interface Timed {
  readonly fromMs: number;
  readonly tookMs: number;
}

/** When a backup was asked for and when it was ready. */
interface Span {
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
}

async function attack(size: Size): Promise<Line> {
  const times = sized(size, { full: 30, quick: 4, bite: 2 });
  const rows = sized(size, { full: 50_000, quick: 20_000, bite: 300_000 });
  const panicly = await longPanicly(rows);
  const findings: string[] = [];
  try {
    const load = new Load(panicly);
    await Bun.sleep(BASE_MS);
    const spans = await backUp(panicly, times, findings);
    await load.end();
    if ((await panicly.stop()) !== 0) findings.push(`the server ended badly: ${panicly.stderr()}`);
    for (const { name } of spans) findings.push(...(await restored(join(panicly.dataDir, 'backups', name))));
    return lineOf(load, spans, rows, findings);
  } finally {
    await panicly.kill();
  }
}

/** A server with a ledger that takes a while to copy. */
async function longPanicly(rows: number): Promise<Panicly> {
  const panicly = await startPanicly();
  await panicly.policy(OPEN_POLICY);
  await panicly.stop();
  const sealKeys = masterKeyHome(loadConfig({ data: panicly.dataDir }, {})).masterKey.deriveAll(CHAIN_SEAL);
  fillLedger(ledgerPath(panicly.dataDir), rows, 1, Date.now(), sealKeys);
  await panicly.start();
  return panicly;
}

async function backUp(panicly: Panicly, times: number, findings: string[]): Promise<Span[]> {
  const spans: Span[] = [];
  for (let time = 0; time < times; time++) {
    const fromMs = performance.now();
    const response = await panicly.operator('/backup', { method: 'POST' });
    const text = await response.text();
    if (response.status === 201) spans.push({ name: (JSON.parse(text) as { name: string }).name, fromMs, toMs: performance.now() });
    else findings.push(`backup ${time + 1}: ${response.status} ${text}`);
    console.error(`backup: ${time + 1} of ${times}`);
  }
  return spans;
}

/** A restore verifies the whole ledger before it puts it in place; `ledger verify` looks at what is in place. */
async function restored(file: string): Promise<string[]> {
  const data = join(temporaryDirectory(), 'data');
  const steps = [
    ['restore', file, '--data', data],
    ['ledger', 'verify', '--data', data],
  ];
  for (const step of steps) {
    const { code, stdout, stderr } = await runPanicly(step);
    if (code !== 0) return [`${step[0]} of ${file}: ${stderr}${stdout}`];
  }
  return [];
}

/** Requests at a steady rate, whatever the answers take. */
class Load {
  readonly timed: Timed[] = [];
  readonly #open = new Set<Promise<void>>();
  readonly #sending: Promise<void>;
  /** How many requests were not answered with 200, by what they were answered with. */
  readonly failed = new Map<string, number>();
  #isOver = false;

  constructor(readonly panicly: Panicly) {
    this.#sending = this.#send();
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#sending;
    await Promise.all(this.#open);
  }

  async #send(): Promise<void> {
    const fromMs = performance.now();
    for (let sent = 0; !this.#isOver;) {
      for (; sent < ((performance.now() - fromMs) * RATE) / 1000; sent++) {
        const request = this.#request(sent);
        this.#open.add(request);
        void request.finally(() => this.#open.delete(request));
      }
      await Bun.sleep(1);
    }
  }

  async #request(number: number): Promise<void> {
    const body = { model: 'gpt-4.1-mini', messages: [{ role: 'user', content: `number ${number}` }] };
    const fromMs = performance.now();
    const response = await this.panicly.post('/v1/chat/completions', this.panicly.testKey, body);
    const text = await response.text();
    if (response.status !== 200) {
      const what = `${response.status} ${/"reason":"(\w+)"/.exec(text)?.[1] ?? ''}`;
      this.failed.set(what, (this.failed.get(what) ?? 0) + 1);
    }
    this.timed.push({ fromMs, tookMs: performance.now() - fromMs });
  }
}

function lineOf(load: Load, spans: readonly Span[], rows: number, findings: readonly string[]): Line {
  const isBeside = ({ fromMs, tookMs }: Timed) => spans.some((span) => fromMs < span.toMs && fromMs + tookMs > span.fromMs);
  const first = Math.min(...spans.map(({ fromMs }) => fromMs));
  const alone = load.timed.filter(({ fromMs, tookMs }) => fromMs + tookMs < first).map(({ tookMs }) => tookMs);
  const beside = load.timed.filter(isBeside).map(({ tookMs }) => tookMs);
  const delayMs = Math.max(...beside) - percentile(alone, 0.5);
  const told = (took: readonly number[]) => [0.5, 0.99, 1].map((share) => percentile(took, share).toFixed(1)).join(' / ');
  const lasted = percentile(
    spans.map(({ fromMs, toMs }) => toMs - fromMs),
    0.5,
  );
  return {
    attack: `${spans.length} backups of a ledger of ${rows} requests and more, beside ${RATE} requests a second`,
    goal: `all restore and verify; no request is delayed more than ${DELAY_MS} ms`,
    reached: `${load.timed.length} requests: ${told(alone)} ms without (p50 / p99 / max), ${told(beside)} ms beside a backup; a backup took ${(lasted / 1000).toFixed(1)} s, its check included`,
    findings: [
      ...findings,
      ...[...load.failed].map(([what, count]) => `${count} requests were answered with ${what}`),
      ...(delayMs > DELAY_MS ? [`a request was delayed by ${Math.round(delayMs)} ms`] : []),
    ],
  };
}
