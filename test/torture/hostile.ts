import { join } from 'node:path';
import { parseDecisionId } from '../../src/domain/ids.ts';
import { OPEN_POLICY, startPanicly, type Panicly } from '../support/binary.ts';
import { ledgerDifferences, reading } from '../support/ledger-file.ts';
import { OUT_OF_REACH } from '../support/kill-rounds.ts';
import { startMockProvider, type MockProvider } from '../support/mock-provider.ts';
import { BASES, hostileBodies, type Hostile, type Random } from './hostile/bodies.ts';
import { differences, type Judged } from './hostile/oracle.ts';
import { diceOf } from './kit/dice.ts';
import { exchange, type Got } from './kit/exchange.ts';
import { Findings, portOf, reasonOf, stopFindings, verifyFindings } from './kit/judge.ts';
import { openDescriptors, residentBytes } from './kit/process.ts';
import { sized, type Row, type Size } from './row.ts';
import type { Line } from './table.ts';

/** Bodies that want to be read in two ways, or not at all, on every route. */
export const hostile: Row = {
  name: 'hostile',
  limitMinutes: { full: 6, quick: 2, bite: 1 },
  bites: [
    {
      name: 'a name may come twice',
      edits: [
        {
          file: 'src/wire/json.ts',
          find: 'if (countKeys(outline) !== pairs) return duplicate(bytes);',
          replace: 'void duplicate; void countKeys; void pairs;',
        },
      ],
    },
    {
      name: 'invalid UTF-8 passes',
      edits: [{ file: 'src/wire/json.ts', find: 'if (!isUtf8(bytes))', replace: 'if (!isUtf8(bytes) && bytes.length === 0)' }],
    },
  ],
  run: attack,
};

const CANARY = 'canary-of-the-provider-key';
const MOST_GROWTH_BYTES = 200 * 1024 * 1024;

interface Scene {
  readonly panicly: Panicly;
  readonly provider: MockProvider;
  readonly random: Random;
  readonly findings: Findings;
  /** What reached the provider: which decision, and the bytes. */
  readonly forwarded: { readonly decisionId: string; readonly name: string; readonly bytes: Uint8Array; readonly sent: Uint8Array }[];
  refused: number;
}

async function attack(size: Size): Promise<Line> {
  const perRoute = sized(size, { full: 1_000, quick: 130, bite: 64 });
  const perOperatorRoute = sized(size, { full: 40, quick: 6, bite: 1 });
  const provider = await startMockProvider();
  const panicly = await startPanicly();
  const scene: Scene = { panicly, provider, random: diceOf(10), findings: new Findings(), forwarded: [], refused: 0 };
  try {
    await panicly.connect(provider, { kind: 'openai', api_key: CANARY });
    await inference(scene, perRoute >> 1, OPEN_POLICY);
    const before = { bytes: residentBytes(panicly.pid), files: openDescriptors(panicly.pid) };
    await inference(scene, perRoute - (perRoute >> 1), OUT_OF_REACH);
    const routes = await operatorRoutes(scene, perOperatorRoute);
    await aliveAndLean(scene, before);
    const stopped = await stopFindings(panicly);
    leaks(scene);
    judge(scene);
    const ledger = join(panicly.dataDir, 'panicly.db');
    const findings = [...scene.findings.list(), ...stopped, ...ledgerDifferences(ledger), ...(await verifyFindings(panicly.dataDir))];
    return {
      attack: `${perRoute} hostile bodies on each route for applications, ${perOperatorRoute} on each of ${routes} routes for operators`,
      goal: 'no 5xx, no crash, no leak; what was judged is what the provider got',
      reached: `${scene.refused} refused, ${scene.forwarded.length} forwarded and compared with their decisions`,
      findings,
    };
  } finally {
    await panicly.kill();
    await provider.close();
  }
}

async function inference(scene: Scene, count: number, policy: object): Promise<void> {
  await scene.panicly.policy(policy);
  for (const [path, base] of Object.entries(BASES))
    for (const body of hostileBodies(base, count, scene.random)) await onInference(scene, path, body, policy === OPEN_POLICY);
}

async function onInference(scene: Scene, path: string, body: Hostile, mustBeTheSame: boolean): Promise<void> {
  const { panicly, provider, findings } = scene;
  const { name, bytes: sent } = body;
  const got = await exchange({ port: portOf(panicly), path, key: panicly.liveKey, body: sent, headers: body.headers ?? {} });
  checkAnswer(scene, got, `${name} on ${path}`);
  const arrived = provider.seen.splice(0);
  if (arrived.length === 0) return void scene.refused++;
  if (body.mustRefuse) findings.add('a body that must be refused was forwarded', `${name} on ${path}: ${preview(sent)}`);
  if (arrived.length > 1) findings.add('a body was forwarded more than once', name);
  const bytes = arrived[0]!.body;
  const decisionId = got.headers['x-panicly-decision-id'];
  if (decisionId === undefined) findings.add('a forwarded request names no decision', name);
  else scene.forwarded.push({ decisionId, name, bytes, sent });
  // To a stream the question for its usage is added, and taken out of the answer again.
  const isStream = bytes.includes('"include_usage"');
  // The spelling of a model becomes the catalogue's.
  if (mustBeTheSame && !isStream && name !== 'a strange model' && Buffer.compare(bytes, sent) !== 0)
    findings.add('the bytes were changed though no money is limited', `${name}: ${preview(sent)} became ${preview(bytes)}`);
}

/** What every answer must be, whatever was sent. */
function checkAnswer({ panicly, findings }: Scene, got: Got, where: string): void {
  if (got.end === 'nothing' && got.errorCode !== 'EPIPE' && got.errorCode !== 'ECONNRESET') findings.add('no answer at all', where);
  if (got.status >= 500) findings.add(`answered with ${got.status} ${reasonOf(got.body)}`, `${where}: ${got.body.slice(0, 200)}`);
  if (got.status >= 400 && got.status < 500 && got.body !== '' && reasonOf(got.body) === null)
    findings.add('an error that is not in our words', `${where}: ${got.status} ${got.body.slice(0, 100)}`);
  if (/<html|<!doctype/i.test(got.body)) findings.add('HTML', where);
  for (const secret of [CANARY, panicly.liveKey, panicly.operatorToken])
    if (got.body.includes(secret)) findings.add('a secret in an answer', where);
}

/** Hostile bodies on every route that the served document names, with ids that exist and ids that do not. */
async function operatorRoutes(scene: Scene, count: number): Promise<number> {
  const { panicly } = scene;
  const document = (await (await fetch(`${panicly.url}/openapi.json`)).json()) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
  const project = await panicly.ask<{ id: string }>('/projects', { method: 'POST', body: { name: 'victim' } });
  const routes = Object.entries(document.paths)
    .filter(([path]) => path.startsWith('/admin/v1'))
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => ({ path, method: method.toUpperCase() })));
  const base = { name: 'x', note: 'x', enabled: false, requests: 1, policy: {}, cost_usd: '1', models: ['*'] };
  for (const { path, method } of routes) {
    if (method === 'GET') continue;
    for (const body of hostileBodies(base, count, scene.random)) {
      const target = path
        .replace(/\/projects\/\{id\}|\/projects\/:id/, method === 'DELETE' ? '/projects/prj_none' : `/projects/${project.id}`)
        .replaceAll(/\{\w+\}/g, 'none');
      const wanted = {
        port: portOf(panicly),
        path: target,
        method,
        key: panicly.operatorToken,
        body: body.bytes,
        headers: body.headers ?? {},
      };
      checkAnswer(scene, await exchange(wanted), `${body.name} on ${method} ${path}`);
    }
  }
  return routes.length;
}

async function aliveAndLean({ panicly, findings }: Scene, before: { readonly bytes: number; readonly files: number }): Promise<void> {
  if (!(await fetch(`${panicly.url}/readyz`)).ok) findings.add('it is not ready afterwards');
  const inFlight = await panicly.metric('panicly_requests_in_flight');
  if (inFlight !== 0) findings.add(`${inFlight} requests stay in flight`);
  const grown = residentBytes(panicly.pid) - before.bytes;
  if (grown > MOST_GROWTH_BYTES) findings.add(`memory grew by ${Math.round(grown / 1e6)} MB`);
  const files = openDescriptors(panicly.pid);
  if (files > before.files + 10) findings.add(`${files - before.files} descriptors more than before`);
}

function leaks({ panicly, findings }: Scene): void {
  for (const secret of [CANARY, panicly.operatorToken]) if (panicly.stderr().includes(secret)) findings.add('a secret in the log');
  for (const line of panicly.stderr().split('\n')) if (line.includes('"failure"')) findings.add('a failure in the log', line.slice(0, 300));
}

/** Compares what the provider got with what the ledger says was judged. */
function judge({ panicly, forwarded, findings }: Scene): void {
  const sql = `SELECT model, requested_model AS requestedModel, stream, choices, client_output_cap AS clientOutputCap FROM decisions WHERE seq = ?`;
  reading(join(panicly.dataDir, 'panicly.db'), (db) => {
    const row = db.query<Judged, [number]>(sql);
    for (const { decisionId, name, bytes } of forwarded) {
      const judged = row.get(parseDecisionId(decisionId)?.seq ?? 0);
      if (judged === null) findings.add('a forwarded body has no decision', name);
      else for (const difference of different(judged, bytes)) findings.add(difference, `${name}: ${preview(bytes)}`);
    }
  });
}

function different(judged: Judged, bytes: Uint8Array): string[] {
  try {
    return differences(judged, bytes);
  } catch (error) {
    return [`the provider cannot read what it was sent: ${String(error)}`];
  }
}

function preview(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(0, 160));
}
