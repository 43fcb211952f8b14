import { join } from 'node:path';
import { eventually, startPanicly, type Panicly } from '../support/binary.ts';
import { OUT_OF_REACH } from '../support/kill-rounds.ts';
import { ledgerDifferences, reading } from '../support/ledger-file.ts';
import { diceOf } from './kit/dice.ts';
import { Exchange, type Got } from './kit/exchange.ts';
import { Findings, inLanes, portOf, stopFindings, verifyFindings } from './kit/judge.ts';
import { piecesOf, startStreamProvider, type ProviderFate, type StreamProvider } from './streams/provider.ts';
import { sized, type Row, type Size } from './row.ts';
import type { Line } from './table.ts';

/** Thousands of streams, of which three in ten are given up, cut, reset or revoked at a random moment. */
export const streams: Row = {
  name: 'streams',
  limitMinutes: { full: 6, quick: 2, bite: 1 },
  bites: [
    {
      name: 'an abort settles at zero',
      edits: [
        {
          file: 'src/gateway/settle.ts',
          find: 'if (!ending.mayHaveBilled || isCleanError(ending))',
          replace: "if (!ending.mayHaveBilled || ending.outcome === 'client_aborted' || isCleanError(ending))",
        },
      ],
    },
    {
      name: 'the connection to the provider stays open',
      edits: [{ file: 'src/upstream/http.ts', find: 'this.#socket.abort();', replace: 'void this.#socket;' }],
    },
  ],
  run: attack,
};

const FATES = ['abort', 'client reset', 'cut', 'reset', 'revoke'] as const;
type Fate = (typeof FATES)[number] | 'ordinary';

const PROVIDER_FATES: Readonly<Record<Fate, ProviderFate>> = {
  ordinary: 'finish',
  cut: 'cut',
  reset: 'reset',
  abort: 'linger',
  'client reset': 'linger',
  revoke: 'linger',
};

const LANES = 64;
const SPOILT_SHARE = 0.3;
const LONGEST_STREAM_MS = 60;
const CLOSED_WITHIN_MS = 1_000;
const STUCK_AFTER_MS = 15_000;

interface Scene {
  readonly panicly: Panicly;
  readonly provider: StreamProvider;
  readonly dice: () => number;
  readonly findings: Findings;
  readonly counts: Map<Fate, number>;
  /** Streams whose client or key went away: when. */
  readonly leftAtMs: Map<string, number>;
}

async function attack(size: Size): Promise<Line> {
  const count = sized(size, { full: 10_000, quick: 1_000, bite: 300 });
  const provider = await startStreamProvider();
  const panicly = await startPanicly();
  const scene: Scene = { panicly, provider, dice: diceOf(4), findings: new Findings(), counts: new Map(), leftAtMs: new Map() };
  try {
    await panicly.connect(provider, { kind: 'openai' });
    await panicly.policy(OUT_OF_REACH);
    await inLanes(Array(count).keys(), LANES, (index) => one(scene, index));
    await eventually('nothing is in flight', async () => (await panicly.metric('panicly_requests_in_flight')) === 0).catch(() =>
      scene.findings.add('streams are stuck: something stays in flight'),
    );
    const slowestCloseMs = closes(scene);
    const stopped = await stopFindings(panicly);
    const ledger = join(panicly.dataDir, 'panicly.db');
    free(scene, ledger);
    const findings = [...scene.findings.list(), ...stopped, ...ledgerDifferences(ledger), ...(await verifyFindings(panicly.dataDir))];
    const fates = [...scene.counts].map(([fate, times]) => `${times} ${fate}`).join(', ');
    return {
      attack: `${count} streams, three in ten given up, cut, reset or revoked at a random moment`,
      goal: 'none free, none stuck, the connection to the provider closed within 1 s',
      reached: `${fates}; the slowest close took ${Math.round(slowestCloseMs)} ms`,
      findings,
    };
  } finally {
    await panicly.kill();
    provider.close();
  }
}

async function one(scene: Scene, index: number): Promise<void> {
  const { panicly, dice, counts, findings } = scene;
  const fate: Fate = dice() < SPOILT_SHARE ? FATES[Math.floor(dice() * FATES.length)]! : 'ordinary';
  counts.set(fate, (counts.get(fate) ?? 0) + 1);
  const marker = `s${index}.${PROVIDER_FATES[fate]}.${Math.floor(dice() * (piecesOf('').length - 2))}`;
  const made = fate === 'revoke' ? await panicly.makeKey({ name: marker }) : null;
  const messages = [{ role: 'user', content: `Name a tree for ${marker}.` }];
  const body = JSON.stringify({ model: 'gpt-4.1-mini', user: marker, messages, max_tokens: 50, stream: true });
  const open = new Exchange({ port: portOf(panicly), key: made?.key ?? panicly.liveKey, body });
  await spoil(scene, fate, marker, open, made?.id ?? '');
  const got = await Promise.race([open.done, Bun.sleep(STUCK_AFTER_MS).then(() => null)]);
  open.abort();
  if (got === null) findings.add(`${fate}: the stream is stuck`, marker);
  else check(scene, fate, marker, got);
}

/** Does to a stream what its fate is, at a random moment: sometimes before anything came, sometimes too late. */
async function spoil(
  { panicly, dice, leftAtMs, findings }: Scene,
  fate: Fate,
  marker: string,
  open: Exchange,
  keyId: string,
): Promise<void> {
  if (fate !== 'abort' && fate !== 'client reset' && fate !== 'revoke') return;
  if (dice() < 0.7) await open.started;
  await Bun.sleep(dice() * LONGEST_STREAM_MS);
  leftAtMs.set(marker, performance.now());
  if (fate === 'abort') open.abort();
  else if (fate === 'client reset') open.reset();
  else {
    const revoked = await panicly.operator(`/keys/${keyId}/revoke`, { method: 'POST', body: {} });
    if (!revoked.ok) findings.add(`a key could not be revoked: ${revoked.status}`, await revoked.text());
    leftAtMs.set(marker, performance.now());
  }
}

function check({ findings, leftAtMs }: Scene, fate: Fate, marker: string, got: Got): void {
  const isWhole = got.end === 'complete' && got.status === 200 && got.body.includes('[DONE]');
  if (fate === 'ordinary' && !isWhole)
    findings.add('an ordinary stream did not come whole', `${marker}: ${got.status} ${got.end} ${got.body.slice(-100)}`);
  if ((fate === 'cut' || fate === 'reset') && got.end === 'complete' && got.status === 200)
    findings.add(`${fate}: it looks complete`, marker);
  const left = leftAtMs.get(marker);
  if (fate === 'revoke' && left !== undefined && performance.now() - left > CLOSED_WITHIN_MS)
    findings.add('a stream outlived its key by more than a second', marker);
}

/** Whether the connection to the provider was closed in time for all whose client or key went away; the slowest, in milliseconds. */
function closes({ provider, leftAtMs, findings }: Scene): number {
  let slowest = 0;
  for (const [marker, left] of leftAtMs) {
    const seen = provider.served.get(marker);
    if (seen === undefined) continue;
    const tookMs = Math.min(seen.closedAtMs ?? Infinity, seen.finishedAtMs ?? Infinity) - Math.max(left, seen.arrivedAtMs);
    if (tookMs > CLOSED_WITHIN_MS) findings.add('a provider worked on for nobody for more than a second', marker);
    else slowest = Math.max(slowest, tookMs);
  }
  return slowest;
}

/** A stream that reached its provider and cost nothing. */
function free({ provider, findings }: Scene, ledger: string): void {
  reading(ledger, (db) => {
    const sql =
      'SELECT d.end_user AS user, s.cost_nano_usd AS cost FROM decisions d JOIN settlements s ON s.decision_seq = d.seq WHERE d.reason IS NULL';
    const costs = new Map(
      db
        .query<{ user: string; cost: number }, []>(sql)
        .all()
        .map(({ user, cost }) => [user, cost]),
    );
    for (const marker of provider.served.keys()) {
      const cost = costs.get(marker);
      if (cost === undefined) findings.add('a stream reached its provider and is not in the ledger', marker);
      else if (cost <= 0) findings.add('a stream was free', marker);
    }
  });
}
