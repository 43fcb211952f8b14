import { join } from 'node:path';
import { eventually, startPanicly, type Panicly } from '../support/binary.ts';
import { OUT_OF_REACH } from '../support/kill-rounds.ts';
import { ledgerDifferences } from '../support/ledger-file.ts';
import { percentile } from '../support/percentile.ts';
import { exchange } from './kit/exchange.ts';
import { Findings, portOf, reasonOf, stopFindings, verifyFindings } from './kit/judge.ts';
import { helper } from './kit/process.ts';
import { flood, type Flood } from './overload/wrk.ts';
import { sized, type Row, type Size } from './row.ts';
import type { Line } from './table.ts';

/** Five times as many clients as there is room for, each as eager as before. */
export const overload: Row = {
  name: 'overload',
  needs: [{ program: 'wrk', debianPackage: 'wrk' }],
  limitMinutes: { full: 3, quick: 1, bite: 1 },
  bites: [
    {
      name: 'there is no limit of requests in flight',
      edits: [
        {
          file: 'src/gateway/pipeline.ts',
          find: 'inFlight.size + inFlight.deciding < limits.requestsInFlight',
          replace: 'inFlight.deciding < limits.requestsInFlight',
        },
      ],
    },
  ],
  run: attack,
};

interface Plan {
  /** Requests that may be in flight. */
  readonly room: number;
  readonly providerMs: number;
  readonly seconds: number;
  /** The least share of the peak that must still be answered. */
  readonly leastGoodput: number;
  /** The p99 of refusals, milliseconds. */
  readonly refusedWithinMs: number;
}

/** In small it must also hold on a machine that is busy with other things, so it asks for less. */
const PLANS: Readonly<Record<Size, Plan>> = {
  full: { room: 64, providerMs: 60, seconds: 20, leastGoodput: 0.8, refusedWithinMs: 100 },
  quick: { room: 32, providerMs: 100, seconds: 4, leastGoodput: 0.6, refusedWithinMs: 300 },
  bite: { room: 32, providerMs: 100, seconds: 2, leastGoodput: 0.6, refusedWithinMs: 300 },
};
const TIMES = 5;
const PROBE_EVERY_MS = 20;

async function attack(size: Size): Promise<Line> {
  const { room, providerMs, seconds } = sized(size, PLANS);
  const provider = await helper(join(import.meta.dir, 'overload/provider.ts'), [String(providerMs)]);
  const panicly = await startPanicly({ config: `[limits]\nrequests_in_flight = ${room}\n` });
  const findings = new Findings();
  try {
    await panicly.connect({ baseUrl: `http://127.0.0.1:${provider.port}/v1` }, { kind: 'openai' });
    await panicly.policy({ ...OUT_OF_REACH, loop_guard: { mode: 'off' }, burst: { mode: 'off' } });
    const options = { url: panicly.url, key: panicly.liveKey, seconds };
    await flood({ ...options, clients: room, seconds: 1, pauseMs: 0 });
    const peak = await flood({ ...options, clients: room, pauseMs: 0 });
    // Who is refused at once comes again as soon as who is answered does.
    const turnMs = (room * 1000) / rate(peak, '200');
    const probe = new Probe(panicly, findings);
    const mostAtOnce = async (): Promise<number> => Number(await (await fetch(`http://127.0.0.1:${provider.port}/most`)).text());
    // What the provider still does for clients that are gone is none of our requests.
    await Bun.sleep(2 * providerMs);
    await mostAtOnce();
    const most = Bun.sleep(seconds * 1000 - providerMs).then(mostAtOnce);
    const much = await flood({ ...options, clients: room * TIMES, pauseMs: turnMs });
    const refusalsMs = await probe.end();
    judge(findings, sized(size, PLANS), peak, much, refusalsMs);
    if ((await most) > room) findings.add(`${await most} requests were with the provider at once, there is room for ${room}`);
    await eventually('nothing is in flight', async () => (await panicly.metric('panicly_requests_in_flight')) === 0);
    const stopped = await stopFindings(panicly);
    const rows = [...ledgerDifferences(join(panicly.dataDir, 'panicly.db')), ...(await verifyFindings(panicly.dataDir))];
    return { ...lineOf(sized(size, PLANS), peak, much, refusalsMs), findings: [...findings.list(), ...stopped, ...rows] };
  } finally {
    await panicly.kill();
    provider.end();
  }
}

function judge(findings: Findings, { leastGoodput, refusedWithinMs }: Plan, peak: Flood, much: Flood, refusalsMs: readonly number[]): void {
  const share = rate(much, '200') / rate(peak, '200');
  if (!(share >= leastGoodput)) findings.add(`goodput fell to ${Math.round(share * 100)} % of the peak`);
  if (rate(much, '503 overloaded') === 0) findings.add('nothing was refused as overloaded');
  const slow = percentile(refusalsMs, 0.99);
  if (!(slow <= refusedWithinMs)) findings.add(`p99 of the refusals is ${Math.round(slow)} ms (of ${refusalsMs.length})`);
  if (much.broken > 0) findings.add(`${much.broken} connections broke or waited for more than 10 s`);
  for (const [kind, count] of [...peak.answers, ...much.answers])
    if (kind !== '200' && kind !== '503 overloaded' && count > peak.seconds) findings.add(`${count} answers of ${kind}`);
}

function lineOf(
  { room, providerMs, leastGoodput, refusedWithinMs }: Plan,
  peak: Flood,
  much: Flood,
  refusalsMs: readonly number[],
): Omit<Line, 'findings'> {
  const perSecond = (flooded: Flood, kind: string) => Math.round(rate(flooded, kind));
  const [p50, p99] = [0.5, 0.99].map((at) => percentile(refusalsMs, at).toFixed(0));
  const share = Math.round((rate(much, '200') / rate(peak, '200')) * 100);
  return {
    attack: `${TIMES} times as many clients as there is room for (${room} in flight, the provider takes ${providerMs} ms)`,
    goal: `goodput at least ${leastGoodput * 100} % of the peak, the rest refused within ${refusedWithinMs} ms as overloaded, nothing unsettled`,
    reached: `peak ${perSecond(peak, '200')}/s; then ${perSecond(much, '200')}/s answered (${share} %) and ${perSecond(much, '503 overloaded')}/s refused, a refusal within ${p50} / ${p99} ms (p50 / p99)`,
  };
}

function rate({ answers, seconds }: Flood, kind: string): number {
  return (answers.get(kind) ?? 0) / seconds;
}

/** A client beside the flood that measures how long refusals take. */
class Probe {
  readonly #refusalsMs: number[] = [];
  readonly #open = new Set<Promise<void>>();
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(
    readonly panicly: Panicly,
    readonly findings: Findings,
  ) {
    this.#timer = setInterval(() => {
      const one = this.#ask();
      this.#open.add(one);
      void one.finally(() => this.#open.delete(one));
    }, PROBE_EVERY_MS);
  }

  /** Ends, and tells how long each refusal took, in milliseconds. */
  async end(): Promise<number[]> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
    return this.#refusalsMs;
  }

  async #ask(): Promise<void> {
    const body = JSON.stringify({ model: 'gpt-4.1-mini', messages: [{ role: 'user', content: 'Name a tree.' }], max_tokens: 50 });
    const got = await exchange({ port: portOf(this.panicly), key: this.panicly.liveKey, body });
    if (got.status === 503 && reasonOf(got.body) === 'overloaded') this.#refusalsMs.push(got.tookMs);
    else if (got.status !== 200) this.findings.add(`a probe was answered with ${got.status} ${reasonOf(got.body)} (${got.end})`);
  }
}
