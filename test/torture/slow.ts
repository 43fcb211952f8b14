import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { OPEN_POLICY, startPanicly, type Panicly } from '../support/binary.ts';
import { ledgerDifferences } from '../support/ledger-file.ts';
import { percentile } from '../support/percentile.ts';
import { chatCompletion, startMockProvider } from '../support/mock-provider.ts';
import { exchange } from './kit/exchange.ts';
import { Findings, portOf, reasonOf, stopFindings, verifyFindings } from './kit/judge.ts';
import { helper, openDescriptors } from './kit/process.ts';
import { sized, type Row, type Size } from './row.ts';
import type { Line } from './table.ts';

/** Clients that send or read a byte now and then, and clients that do nothing. */
export const slow: Row = {
  name: 'slow',
  limitMinutes: { full: 3, quick: 1, bite: 1 },
  bites: [
    {
      name: 'a client that takes nothing is waited for',
      edits: [
        {
          file: 'src/gateway/in-flight.ts',
          find: "if (waitedMs >= attempt.limits.slowClientMs) attempt.stop('client_aborted');",
          replace: 'void waitedMs;',
        },
      ],
    },
    {
      name: 'a body may take as long as it likes',
      edits: [{ file: 'src/gateway/receive.ts', find: 'limits.receiveMs);', replace: '600_000);' }],
    },
  ],
  run: attack,
};

interface Plan {
  readonly heads: number;
  readonly bodies: number;
  readonly readers: number;
  readonly idle: number;
  /** Both limits, where the row does not wait for those of a server that was told nothing. */
  readonly limitSeconds?: number;
  readonly closedWithinMs: number;
  readonly calmMs: number;
}

const PLANS: Readonly<Record<Size, Plan>> = {
  full: { heads: 950, bodies: 1_000, readers: 50, idle: 1_000, closedWithinMs: 30_000, calmMs: 8_000 },
  quick: { heads: 195, bodies: 200, readers: 5, idle: 100, limitSeconds: 4, closedWithinMs: 15_000, calmMs: 3_000 },
  bite: { heads: 10, bodies: 20, readers: 4, idle: 10, limitSeconds: 3, closedWithinMs: 15_000, calmMs: 500 },
};
const GOOD_EVERY_MS = 15;
const LOOK_EVERY_MS = 250;
/** Connections of good clients that are open in this moment. */
const SPARE = 10;
/** Below this a latency is noise of the machine, not of the slow clients: a change is tried on busier machines than a release. */
const NOISE_MS: Readonly<Record<Size, number>> = { full: 20, quick: 250, bite: 500 };
/** A machine that is busy with other things refuses one now and then, because its disk is late. */
const MOST_BAD_SHARE = 0.01;
const LARGE_BYTES = 48 * 1024 * 1024;

async function attack(size: Size): Promise<Line> {
  const plan = sized(size, PLANS);
  const findings = new Findings();
  const provider = await startMockProvider({ script: chatCompletion('An oak.', { headDelayMs: 2 }) });
  const torrent = await largeProvider();
  const { limitSeconds } = plan;
  const config = `[limits]\nreceive_seconds = ${limitSeconds}\nslow_client_seconds = ${limitSeconds}\n`;
  const panicly = await startPanicly(limitSeconds === undefined ? {} : { config });
  try {
    await panicly.connect(provider, { kind: 'openai' });
    await panicly.connect({ baseUrl: `http://127.0.0.1:${torrent.port}/v1` }, { name: 'torrent', models: ['large'] });
    await panicly.policy(OPEN_POLICY);
    await goodClients(panicly, findings, 500);
    const calmMs = await goodClients(panicly, findings, plan.calmMs);
    // The connections to providers come and go with the load.
    const held = () => openDescriptors(panicly.pid) - provider.openConnections - torrent.open();
    const before = held();
    const fromMs = performance.now();
    let lastOpenMs = 0;
    const looking = setInterval(() => {
      if (held() - before > plan.idle + SPARE || torrent.open() > 0) lastOpenMs = performance.now() - fromMs;
    }, LOOK_EVERY_MS);
    const words = [portOf(panicly), panicly.liveKey, plan.heads, plan.bodies, plan.readers, plan.idle].map(String);
    const clients = await helper(join(import.meta.dir, 'slow/clients.ts'), words);
    const busyMs = await goodClients(panicly, findings, plan.closedWithinMs - (performance.now() - fromMs));
    clearInterval(looking);
    const open = held() - before;
    const inFlight = await panicly.metric('panicly_requests_in_flight');
    clients.end();
    if (open > plan.idle + SPARE) findings.add(`${open - plan.idle} slow clients were not closed`);
    if (inFlight > 0 || torrent.open() > 0) findings.add(`${Math.max(inFlight, torrent.open())} slow readers hold their provider`);
    const [calm, busy] = [calmMs, busyMs].map((values) => percentile(values, 0.99)) as [number, number];
    if (!(busy <= Math.max(2 * calm, NOISE_MS[size])))
      findings.add(`p99 of good clients went from ${calm.toFixed(1)} to ${busy.toFixed(1)} ms`);
    const stopped = await stopFindings(panicly);
    const rows = [...ledgerDifferences(join(panicly.dataDir, 'panicly.db')), ...(await verifyFindings(panicly.dataDir))];
    return {
      attack: `${plan.heads} slow heads, ${plan.bodies} slow bodies, ${plan.readers} clients that read nothing, ${plan.idle} idle ones (${limitSeconds === undefined ? 'default limits' : `limits of ${limitSeconds} s`})`,
      goal: `p99 of good clients at most doubled, all slow ones closed in ${plan.closedWithinMs / 1000} s`,
      reached: `p99 of good clients ${calm.toFixed(1)} ms before, ${busy.toFixed(1)} ms meanwhile; the last slow one closed after ${(lastOpenMs / 1000).toFixed(1)} s, ${Math.max(0, open - plan.idle)} left`,
      findings: [...findings.list(), ...stopped, ...rows],
    };
  } finally {
    await panicly.kill();
    await provider.close();
    torrent.close();
  }
}

/** Clients that come and go, for so long: how long each answer took, in milliseconds. */
async function goodClients(panicly: Panicly, findings: Findings, forMs: number): Promise<number[]> {
  const took: number[] = [];
  const bad: string[] = [];
  const open: Promise<void>[] = [];
  const body = JSON.stringify({ model: 'gpt-4.1-mini', messages: [{ role: 'user', content: 'Name a tree.' }] });
  for (const untilMs = performance.now() + forMs; performance.now() < untilMs; await Bun.sleep(GOOD_EVERY_MS))
    open.push(
      exchange({ port: portOf(panicly), key: panicly.liveKey, body }).then((got) => {
        took.push(got.tookMs);
        if (got.status !== 200 || got.end !== 'complete') bad.push(`${got.status} ${reasonOf(got.body) ?? ''} (${got.end})`);
      }),
    );
  await Promise.all(open);
  if (bad.length > took.length * MOST_BAD_SHARE) findings.add(`${bad.length} of ${took.length} good clients were not served`, bad[0]);
  return took;
}

/** A provider whose stream is larger than what any socket holds. */
async function largeProvider(): Promise<{ readonly port: number; open(): number; close(): void }> {
  const sockets = new Set<Socket>();
  const word = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'word '.repeat(2_000) } }] })}\n\n`;
  const chunk = `${Buffer.byteLength(word).toString(16)}\r\n${word}\r\n`;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const pour = async (): Promise<void> => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n');
      for (let sent = 0; sent < LARGE_BYTES && !socket.destroyed; sent += chunk.length)
        if (!socket.write(chunk)) await Promise.race([closed, new Promise<void>((resolve) => socket.once('drain', resolve))]);
    };
    socket.once('data', () => void pour());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, open: () => sockets.size, close };
}
