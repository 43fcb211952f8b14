import { join } from 'node:path';
import { eventually, OPEN_POLICY, startPanicly } from '../support/binary.ts';
import { ledgerDifferences } from '../support/ledger-file.ts';
import { markerOf } from '../support/mixed-load.ts';
import { chatCompletion, startMockProvider } from '../support/mock-provider.ts';
import { Findings, portOf, stopFindings, verifyFindings } from './kit/judge.ts';
import { openDescriptors, residentBytes } from './kit/process.ts';
import { answerTo, Score } from './raw/judge.ts';
import { startNginx, type Nginx } from './raw/nginx.ts';
import { startRelay } from './raw/relay.ts';
import { behindNginx, directly, executed, fenced, type Scene } from './raw/scene.ts';
import { VECTORS } from './raw/table/all.ts';
import { sized, type Row, type Size } from './row.ts';
import type { Line } from './table.ts';

/** Set: what is sent goes through a front that loses count of the bytes. */
const LOSES_COUNT = 'TORTURE_RAW_LOSES_COUNT';

/** Requests that two readers could read in two ways, directly and behind nginx. */
export const raw: Row = {
  name: 'raw',
  needs: [{ program: 'nginx', debianPackage: 'nginx-light' }],
  limitMinutes: { full: 4, quick: 2, bite: 2 },
  bites: [
    {
      name: 'a Host that is none is taken',
      edits: [{ file: 'src/http/public.ts', find: 'if (host !== null && /^(?:', replace: 'if (host === null || host !== null || /^(?:' }],
    },
    {
      name: 'a path that the server tidied up leads to operators',
      edits: [{ file: 'src/http/literal-path.ts', find: 'return peer === null ||', replace: "return peer !== 'nobody' ||" }],
    },
    {
      name: 'a refusal leaves its connection open',
      edits: [{ file: 'src/http/errors.ts', find: 'LEAVES_CONNECTION.has(refusal.reason)', replace: 'LEAVES_CONNECTION.size === 0' }],
    },
    { name: 'a front loses count of the bytes', env: { [LOSES_COUNT]: '1' } },
  ],
  run: attack,
};

const NGINX_LANES = 10;
const MOST_GROWTH_BYTES = 200 * 1024 * 1024;

async function attack(size: Size): Promise<Line> {
  const every = sized(size, { full: 1, quick: 6, bite: 2 });
  const behind = VECTORS.filter((_, index) => index % every === 0);
  const provider = await startMockProvider({ script: (request) => chatCompletion(answerTo(markerOf(request))) });
  const panicly = await startPanicly();
  const scene: Scene = { panicly, provider, score: new Score(new Findings()), shots: new Map() };
  let nginx: Nginx | null = null;
  try {
    await panicly.connect(provider, { kind: 'openai' });
    await panicly.policy(OPEN_POLICY);
    const before = { bytes: residentBytes(panicly.pid), files: openDescriptors(panicly.pid) };
    await directly(scene, 'direct', VECTORS, Bun.env[LOSES_COUNT] === undefined ? portOf(panicly) : await startRelay(portOf(panicly)));
    await directly(
      scene,
      'late',
      VECTORS.filter((_, index) => index % every === 0),
    );
    nginx = await startNginx(portOf(panicly), NGINX_LANES);
    await behindNginx(scene, behind, nginx.lanes);
    await fenced(scene, VECTORS, nginx.fences);
    nginx.end();
    await aliveAndLean(scene, before);
    const stopped = await stopFindings(panicly);
    executed(scene);
    const ledger = [...ledgerDifferences(join(panicly.dataDir, 'panicly.db')), ...(await verifyFindings(panicly.dataDir))];
    return {
      attack: `${VECTORS.length} raw HTTP vectors at once, ${behind.length} with what comes behind them later, ${behind.length} behind nginx`,
      goal: 'none smuggled; what is ambiguous is refused (4xx) and its connection closed',
      reached: reached(scene),
      // The worst first: only so many are shown.
      findings: [...stopped, ...ledger, ...scene.score.findings.list().toReversed()],
    };
  } finally {
    await panicly.kill();
    nginx?.end();
    await provider.close();
  }
}

function reached({ score, provider }: Scene): string {
  const { refused, silentlyClosed, served, waited } = score.counts;
  const known = score.known().map((one) => `; known: ${one}`);
  return `directly ${refused} refused, ${silentlyClosed} closed without a word, ${served} served, ${waited} given up by the client; ${provider.seen.length} requests reached the provider${known.join('')}`;
}

async function aliveAndLean({ panicly, score }: Scene, before: { readonly bytes: number; readonly files: number }): Promise<void> {
  await eventually('nothing is in flight', async () => (await panicly.metric('panicly_requests_in_flight')) === 0);
  if (!(await fetch(`${panicly.url}/readyz`)).ok) score.findings.add('it is not ready afterwards');
  const grown = residentBytes(panicly.pid) - before.bytes;
  if (grown > MOST_GROWTH_BYTES) score.findings.add(`memory grew by ${Math.round(grown / 1e6)} MB`);
  await eventually('the connections are closed', async () => Promise.resolve(openDescriptors(panicly.pid) <= before.files + 20));
}
