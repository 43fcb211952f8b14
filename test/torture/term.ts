import { join } from 'node:path';
import { eventually, startPanicly, type Panicly } from '../support/binary.ts';
import { killFindings, OUT_OF_REACH } from '../support/kill-rounds.ts';
import { markerOf, type Answered } from '../support/mixed-load.ts';
import {
  chatCompletion,
  chatStream,
  startMockProvider,
  type Behaviour,
  type MockProvider,
  type SeenRequest,
} from '../support/mock-provider.ts';
import { exchange, type End } from './kit/exchange.ts';
import { Findings, portOf, reasonOf, stopFindings, verifyFindings } from './kit/judge.ts';
import { sized, type Row, type Size } from './row.ts';
import type { Line } from './table.ts';

/** SIGTERM under load: what was begun is finished. */
export const term: Row = {
  name: 'term',
  limitMinutes: { full: 6, quick: 2, bite: 1 },
  bites: [
    {
      name: 'a stop does not wait for what is in flight',
      edits: [{ file: 'src/server.ts', find: 'await gateway.inFlight.idle();', replace: '' }],
    },
    {
      name: 'a stop cuts what is in flight',
      edits: [{ file: 'src/server.ts', find: 'config.shutdownMs);', replace: '0);' }],
    },
  ],
  run: attack,
};

const CLIENTS = 12;
const LONGEST_RUN_MS = 250;
/** Every so many rounds one stream takes longer than a server is given that is stopped without waiting. */
const SLOW_EVERY = 8;
const SLOW = { words: 60, intervalMs: 25 };
const CHECKED_EVERY = 50;

interface Seen {
  readonly arrived: string[];
  readonly answered: Answered[];
  readonly findings: Findings;
  whole: number;
  refused: number;
  inFlight: number;
  slowestMs: number;
}

async function attack(size: Size): Promise<Line> {
  const rounds = sized(size, { full: 200, quick: 20, bite: 4 });
  const provider = await startMockProvider({ script: unhurried });
  const panicly = await startPanicly();
  const seen: Seen = { arrived: [], answered: [], findings: new Findings(), whole: 0, refused: 0, inFlight: 0, slowestMs: 0 };
  const findings: string[] = [];
  try {
    await panicly.connect(provider, { kind: 'openai' });
    await panicly.policy(OUT_OF_REACH);
    for (let round = 0; round < rounds; round++) {
      if (round > 0) await panicly.start();
      await stopUnderLoad(panicly, provider, seen, round);
      if (round % CHECKED_EVERY === CHECKED_EVERY - 1) console.error(`term: ${round + 1} of ${rounds}`);
    }
    await panicly.start();
    const held = await panicly.metric('panicly_requests_in_flight');
    findings.push(...(held === 0 ? [] : [`${held} requests are in flight after a start`]), ...(await stopFindings(panicly)));
    findings.push(...killFindings(join(panicly.dataDir, 'panicly.db'), seen), ...(await verifyFindings(panicly.dataDir)));
  } finally {
    await panicly.kill();
    await provider.close();
  }
  const reached = `${seen.whole} whole answers, ${seen.refused} refused as shutting_down, ${seen.inFlight} in flight when the signals came; the slowest stop took ${Math.round(seen.slowestMs)} ms`;
  return {
    attack: `SIGTERM under load, ${rounds} times`,
    goal: 'no answer truncated, all settled, exit code 0',
    reached,
    findings: [...seen.findings.list(), ...findings],
  };
}

async function stopUnderLoad(panicly: Panicly, provider: MockProvider, seen: Seen, round: number): Promise<void> {
  const state = { ended: false, open: 0 };
  const whole = new Set<string>();
  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    for (let turn = 0; !state.ended; turn++) {
      const isSlow = client === 0 && turn === 0 && round % SLOW_EVERY === 0;
      const marker = isSlow ? `slow${round}-0` : `term${round}-${client}-${turn}`;
      state.open++;
      const end = await request(panicly, seen, marker);
      state.open--;
      if (end === 'whole') whole.add(marker);
      else await Bun.sleep(5);
    }
  });
  await eventually('a request has arrived', () => Promise.resolve(provider.seen.length > 0));
  await Bun.sleep(Math.random() * LONGEST_RUN_MS);
  seen.inFlight += state.open;
  const fromMs = performance.now();
  const code = await panicly.stop();
  seen.slowestMs = Math.max(seen.slowestMs, performance.now() - fromMs);
  state.ended = true;
  await Promise.all(clients);
  if (code !== 0) seen.findings.add(`the server ended with ${code}`, panicly.stderr().slice(-200));
  const arrived = provider.seen.map(markerOf);
  for (const marker of arrived)
    if (!whole.has(marker)) seen.findings.add('a request that had reached the provider got no whole answer', marker);
  seen.arrived.push(...arrived);
  provider.reset();
}

async function request(panicly: Panicly, seen: Seen, marker: string): Promise<'whole' | End> {
  const stream = marker.charCodeAt(marker.length - 1) % 2 === 0;
  const messages = [{ role: 'user', content: `Name a tree for ${marker}.` }];
  const body = JSON.stringify({ model: 'gpt-4.1-mini', messages, user: marker, max_tokens: 50, stream });
  const got = await exchange({ port: portOf(panicly), key: panicly.liveKey, body });
  const decisionId = got.headers['x-panicly-decision-id'];
  if (decisionId !== undefined) seen.answered.push({ marker, decisionId, status: got.status });
  if (got.status === 200) {
    const isWhole = got.end === 'complete' && (!stream || got.body.includes('[DONE]'));
    if (!isWhole) seen.findings.add(`an answer was cut (${got.end})`, `${marker}: ...${got.body.slice(-120)}`);
    if (isWhole) seen.whole++;
    return isWhole ? 'whole' : 'broken';
  }
  if (got.status === 0) return 'nothing';
  const reason = reasonOf(got.body);
  if (got.status === 503 && reason === 'shutting_down') seen.refused++;
  else seen.findings.add(`answered with ${got.status} ${reason}`, marker);
  return got.end;
}

/** Answers that take up to 200 ms, so that many are open when the signal comes. */
function unhurried(request: SeenRequest): Behaviour {
  const { stream, user } = request.json() as { readonly stream?: boolean; readonly user: string };
  if (user.startsWith('slow')) return chatStream(SLOW.words, true, { intervalMs: SLOW.intervalMs });
  return stream === true
    ? chatStream(5 + Math.floor(Math.random() * 35), true, { intervalMs: 4 })
    : chatCompletion('An oak.', { headDelayMs: Math.random() * 150 });
}
