import { join } from 'node:path';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { eventually, OPEN_POLICY, startPanicly, type Panicly } from '../support/binary.ts';
import { ledgerDifferences } from '../support/ledger-file.ts';
import { RequestParser } from '../support/mock-provider/http-parser.ts';
import { diceOf } from './kit/dice.ts';
import { exchange, type Got } from './kit/exchange.ts';
import { Findings, inLanes, portOf, reasonOf, stopFindings, verifyFindings } from './kit/judge.ts';
import { completion, KINDS, type Kind } from './upstream/kinds.ts';
import { sized, type Row, type Size } from './row.ts';
import type { Line } from './table.ts';

const SEND = 'return exchange.answer(await this.#fetch(request, exchange.socketSignal));';

/** Providers that go wrong in every way that we know. */
export const upstream: Row = {
  name: 'upstream',
  limitMinutes: { full: 6, quick: 2, bite: 1 },
  bites: [
    {
      name: 'redirects are followed',
      env: { TORTURE_TRAP_ONLY: '1' },
      edits: [{ file: 'src/upstream/http.ts', find: "redirect: 'manual',", replace: "redirect: 'follow'," }],
    },
    {
      name: 'a broken stream ends cleanly',
      edits: [
        {
          file: 'src/gateway/relay.ts',
          find: "controller.error(new BrokenStream('broken off'));",
          replace: 'void BrokenStream;\n  controller.close();',
        },
      ],
    },
    {
      name: 'what broke is sent again',
      edits: [
        {
          file: 'src/upstream/http.ts',
          find: SEND,
          replace: SEND.replace('Signal));', 'Signal).catch(() => this.#fetch(request, exchange.socketSignal)));'),
        },
      ],
    },
  ],
  run: attack,
};

const UNLUCKY = 'unlucky';
const LANES = 24;
const CONFIG = '[upstream]\nfirst_byte_seconds = 1\nidle_seconds = 1\n';

interface Seen {
  readonly findings: Findings;
  readonly arrivals: Map<string, number>;
  trapped: number;
  /** Requests that met a socket in the moment in which the provider closed it: they are refused, and never sent again. */
  unlucky: number;
}

const MOST_UNLUCKY_SHARE = 0.02;

async function attack(size: Size): Promise<Line> {
  const times = sized(size, { full: 100, quick: 5, bite: 2 });
  const seen: Seen = { findings: new Findings(), arrivals: new Map(), trapped: 0, unlucky: 0 };
  const trap = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => (seen.trapped++, Response.json(JSON.parse(completion('trap')))) });
  const provider = await faultyProvider(seen, `http://127.0.0.1:${trap.port}/stolen`);
  const panicly = await startPanicly({ config: CONFIG });
  try {
    await panicly.connect({ baseUrl: `http://127.0.0.1:${provider.port}/v1` }, { kind: 'openai' });
    await panicly.connect({ baseUrl: `http://127.0.0.1:${await closedPort()}/v1` }, { name: 'nobody', models: ['nobody'] });
    await panicly.policy(OPEN_POLICY);
    const dice = diceOf(8);
    const plan = Array.from({ length: times }, (_, turn) => [...KINDS, null].map((kind) => ({ kind, turn, order: dice() }))).flat();
    plan.sort((a, b) => a.order - b.order);
    await inLanes(plan, LANES, ({ kind, turn }) => request(panicly, seen, kind, turn));
    if (seen.unlucky > Math.max(2, plan.length * MOST_UNLUCKY_SHARE))
      seen.findings.add(`${seen.unlucky} sound answers met a closed socket`);
    const findings = await judged(panicly, seen);
    return { ...lineOf(times, plan.length, seen.unlucky), findings };
  } finally {
    await panicly.kill();
    provider.close();
    await trap.stop(true);
  }
}

function lineOf(times: number, requests: number, unlucky: number): Omit<Line, 'findings'> {
  return {
    attack: `${KINDS.length + 1} kinds of upstream fault, ${times} times each, mixed`,
    goal: 'no crash, no HTML of ours, truncated never looks complete, no unsafe retry, no redirect followed',
    reached: `${requests} requests, ${unlucky} of them met a socket that the provider was closing (502)`,
  };
}

async function judged(panicly: Panicly, seen: Seen): Promise<string[]> {
  const { findings } = seen;
  if (seen.trapped > 0) findings.add(`${seen.trapped} redirects were followed`);
  for (const [marker, count] of seen.arrivals) if (count > 1) findings.add(`a request was sent ${count} times`, marker);
  await eventually('nothing is in flight', async () => (await panicly.metric('panicly_requests_in_flight')) === 0).catch(() =>
    findings.add('requests stay in flight'),
  );
  if (/"failure"|unhandled|panic:/i.test(panicly.stderr())) findings.add('a failure in the log', panicly.stderr().slice(0, 400));
  const stopped = await stopFindings(panicly);
  return [
    ...findings.list(),
    ...stopped,
    ...ledgerDifferences(join(panicly.dataDir, 'panicly.db')),
    ...(await verifyFindings(panicly.dataDir)),
  ];
}

/** One request; `kind` null is the provider that is not there. */
async function request(panicly: Panicly, seen: Seen, kind: Kind | null, turn: number): Promise<void> {
  const index = kind === null ? 'x' : KINDS.indexOf(kind);
  const marker = `up-${index}-${turn}-end`;
  const messages = [{ role: 'user', content: `Name a tree for ${marker}.` }];
  const body = JSON.stringify({ model: kind === null ? 'nobody' : 'gpt-4.1-mini', user: marker, messages, stream: kind?.stream ?? false });
  const got = await exchange({ port: portOf(panicly), key: panicly.liveKey, body });
  const problem = problemOf(kind, marker, got);
  if (problem === UNLUCKY) seen.unlucky++;
  else if (problem !== null)
    seen.findings.add(`${kind?.name ?? 'refused'}: ${problem}`, `${got.status} ${got.end} ${got.body.slice(-200)}`);
}

function problemOf(kind: Kind | null, marker: string, got: Got): string | null {
  const expected = kind?.expected ?? 'refused';
  // The server under us sends the end of a head together with the first byte of its body: a stream that breaks before it shows nothing.
  if (got.end === 'nothing') return expected === 'cut' ? null : 'no answer at all';
  if (kind?.sendsHtml !== true && /<html|<!doctype/i.test(got.body)) return 'HTML';
  const isOurs = got.end === 'complete' && got.status >= 500 && reasonOf(got.body)?.startsWith('upstream_') === true;
  if (expected === 'refused') return isOurs ? null : 'it must be refused in our words';
  if (expected === 'cut') return isOurs || (got.end === 'broken' && !got.body.includes('[DONE]')) ? null : 'what was cut looks complete';
  if (got.body.includes('poison')) return 'bytes of another answer';
  const others = [...got.body.matchAll(/up-\w+-\d+-end/g)].filter(([other]) => other !== marker);
  if (others.length > 0) return 'an answer of another request';
  if (expected === 'whole' && isOurs && got.body.includes('ECONNRESET')) return UNLUCKY;
  if (expected === 'whole') return got.status === 200 && got.end === 'complete' && got.body.includes(marker) ? null : 'it must come whole';
  return null;
}

/** A provider that plays the fault that the marker of each request names. */
async function faultyProvider({ arrivals }: Seen, trapUrl: string): Promise<{ readonly port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const parser = new RequestParser();
    sockets.add(socket.setNoDelay(true));
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.on('data', (bytes: Buffer) => {
      for (const request of parser.push(bytes)) {
        const { user } = JSON.parse(request.body.toString()) as { readonly user: string };
        arrivals.set(user, (arrivals.get(user) ?? 0) + 1);
        void KINDS[Number(user.split('-')[1])]!.play(socket, user, trapUrl);
      }
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, close };
}

async function closedPort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
