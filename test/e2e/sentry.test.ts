import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { AuditEventJson, DecisionJson, LedgerReportJson, WorkspaceJson } from '../../src/http/schemas/operator.ts';
import { eventually, OPEN_POLICY, startPanicly, type Panicly } from '../support/binary.ts';
import { RawStream } from '../support/raw-streams.ts';
import { chatEvent, startSteppingProvider, type Step, type SteppingProvider } from '../support/stepping-provider.ts';

/** The emergency stop, and a key that is revoked, while many streams are open: nothing flows on, and the books are right. */

const CUT_WITHIN_MS = 1_000;
/** A stream that is open so long after the cut will not end. */
const GIVE_UP_MS = 8_000;
const WORD = chatEvent('word');
/** How many streams are opened at once. */
const GROUP = 50;
/** How often the provider says a word on every stream. */
const PACE_MS = 250;
/** Every hold counts, and none is refused for it. */
const POLICY = { ...OPEN_POLICY, budgets: [{ scope: 'project', period: 'day', limit_usd: '100000' }] };

let server: Panicly;
let stepping: SteppingProvider;
let project: string;
let workspace: string;

beforeAll(async () => {
  stepping = await startSteppingProvider();
  server = await startPanicly();
  project = await server.projectId();
  workspace = (await server.ask<{ data: WorkspaceJson[] }>('/workspaces')).data[0]!.id;
  await server.connect(stepping, { kind: 'openai' });
  await server.policy(POLICY);
});
afterAll(async () => {
  await Promise.all([server.kill(), stepping.close()]);
});

const chat = (content: string) => ({ model: 'gpt-4.1-mini', messages: [{ role: 'user', content }], max_tokens: 30_000, stream: true });
const sentry = (owner: string, enabled: boolean) => server.ask(`/${owner}/sentry`, { method: 'PUT', body: { enabled } });

/** Streams that run, and the provider's side of them. */
interface Running {
  readonly streams: readonly RawStream[];
  readonly steps: readonly Step[];
  /** Stops the provider's talk. */
  stop(): void;
}

/** Opens `count` streams; the provider says a word on each of them, again and again, and goes on whatever happens. */
async function open(count: number, key: string): Promise<Running> {
  const port = Number(new URL(server.url).port);
  const streams: RawStream[] = [];
  const steps: Step[] = [];
  // In groups, so that a busy machine is not made to refuse some of them as overloaded.
  while (steps.length < count) {
    if (steps.length === streams.length)
      for (let more = Math.min(GROUP, count - streams.length); more > 0; more--)
        streams.push(new RawStream(port, key, chat(`stream ${streams.length}`)));
    steps.push(await stepping.next());
  }
  for (const step of steps) step.send(WORD);
  await Promise.all(streams.map(({ started }) => started));
  const talk = setInterval(() => steps.forEach((step) => step.send(WORD)), PACE_MS);
  return { streams, steps, stop: () => clearInterval(talk) };
}

/** Does `act`, and checks that all of the streams, and none of their words, outlive its answer by more than a second. */
async function expectCut(running: Running, act: () => Promise<unknown>, code: string): Promise<void> {
  const { streams, steps } = running;
  const before = streams.reduce((sum, { words }) => sum + words, 0);
  await act();
  const answeredAtMs = performance.now();
  const over = Promise.all([...streams.map(({ ended }) => ended), ...steps.map(({ closed }) => closed)]);
  await Promise.race([over, Bun.sleep(GIVE_UP_MS)]);
  running.stop();
  expect(before).toBeGreaterThanOrEqual(streams.length);
  const late = streams.filter(({ lastWordAtMs }) => lastWordAtMs - answeredAtMs > CUT_WITHIN_MS);
  const slow = streams.filter(({ endedAtMs }) => (endedAtMs ?? Infinity) - answeredAtMs > 2 * CUT_WITHIN_MS);
  expect({ late: late.length, slow: slow.length }).toEqual({ late: 0, slow: 0 });
  expect(streams.filter(({ status }) => status === 'HTTP/1.1 200 OK')).toHaveLength(streams.length);
  expect(streams.filter(({ errorCode }) => errorCode === code)).toHaveLength(streams.length);
  expect(streams.filter(({ looksComplete }) => looksComplete)).toEqual([]);
}

/** Every stream has one settlement with this outcome, that charges what its client got: more than nothing, less than the hold. */
async function expectSettled({ streams }: Running, outcome: string): Promise<void> {
  const rows = await eventually('all are settled', async () => {
    const all = await server.decisions('&decision=allow');
    return all.every(({ settlement }) => settlement !== null) && new Map(all.map((row) => [row.id, row] as const));
  });
  const wrong = streams.filter(({ decisionId, words }) => !isChargedFor(rows.get(decisionId!)!, words, outcome));
  expect(wrong.map(({ decisionId, words }) => ({ words, row: rows.get(decisionId!) }))).toEqual([]);
  expect(new Set(streams.map(({ decisionId }) => decisionId)).size).toBe(streams.length);
  expect(await server.metric('panicly_requests_in_flight')).toBe(0);
  expect((await server.ask<LedgerReportJson>('/ledger/verify')).ok).toBe(true);
}

/**
 * gpt-4.1-mini: 1.60 USD for a million tokens of output, and each word is at least one. The estimate adds what the provider may have
 * made in the time of the stream, so it is more than that, and far less than a cap of 30,000 tokens.
 */
function isChargedFor({ settlement, hold_usd }: DecisionJson, words: number, outcome: string): boolean {
  if (settlement === null || settlement.outcome !== outcome || settlement.basis !== 'estimated') return false;
  const cost = Number(settlement.cost_usd);
  return cost >= words * 1.6e-6 && cost < Number(hold_usd);
}

async function expectRefused(key: string, status: number, code: string): Promise<void> {
  const response = await server.post('/v1/chat/completions', key, chat('one more'));
  expect([response.status, response.headers.get('x-should-retry')]).toEqual([status, 'false']);
  expect(await response.json()).toMatchObject({ error: { code } });
}

/** What is audited, newest first. */
async function audited(action: string): Promise<AuditEventJson[]> {
  return (await server.ask<{ data: AuditEventJson[] }>('/audit?limit=100')).data.filter((event) => event.action === action);
}

/** A request passes: its stream starts. */
async function expectServed(key: string): Promise<void> {
  const running = await open(1, key);
  running.stop();
  running.streams[0]!.destroy();
  await running.steps[0]!.closed;
}

describe('500 open streams', () => {
  test('Sentry Mode of the project cuts them all within a second', async () => {
    const running = await open(500, server.liveKey);
    expect(await server.metric('panicly_requests_in_flight')).toBe(500);
    await expectCut(running, () => sentry(`projects/${project}`, true), 'sentry_mode');
    await expectSettled(running, 'cut_sentry');
    await expectRefused(server.liveKey, 403, 'sentry_mode');
    expect((await fetch(`${server.url}/v1/models`, { headers: { authorization: `Bearer ${server.liveKey}` } })).status).toBe(403);
  }, 60_000);

  test('it stays on over a restart and whatever policy is stored, and says who turned it', async () => {
    await server.restart();
    await expectRefused(server.liveKey, 403, 'sentry_mode');
    for (const document of [POLICY, {}, { ...POLICY, sentry: { cut_streams: false } }]) {
      await server.policy(document);
      await expectRefused(server.liveKey, 403, 'sentry_mode');
    }
    for (const switchedOff of [{ sentry: { mode: 'off' } }, { sentry: { enabled: false } }, { sentry: 'off' }]) {
      const answer = await server.operator(`/projects/${project}/policy`, { method: 'PUT', body: { ...POLICY, ...switchedOff } });
      expect(answer.status).toBe(400);
    }
    await server.ask(`/workspaces/${workspace}/policy`, { method: 'PUT', body: {} });
    await expectRefused(server.liveKey, 403, 'sentry_mode');
    expect(await audited('sentry.on')).toMatchObject([{ subject: project, actor: expect.stringMatching(/./) }]);
  }, 30_000);

  test('switched off, requests pass again, and over a restart', async () => {
    await server.policy(POLICY);
    await sentry(`projects/${project}`, false);
    expect(await audited('sentry.off')).toMatchObject([{ subject: project }]);
    await expectServed(server.liveKey);
    await server.restart();
    await expectServed(server.liveKey);
  }, 30_000);

  test('a key that is revoked takes its streams along, and no other', async () => {
    const [key, other] = [await server.makeKey(), await server.makeKey()];
    const kept = await open(20, other.key);
    const running = await open(500, key.key);
    await expectCut(running, () => server.ask(`/keys/${key.id}/revoke`, { method: 'POST' }), 'revoked_key');
    await eventually('the others go on', async () => kept.streams.every(({ words }) => words >= 3));
    expect(kept.streams.filter(({ endedAtMs }) => endedAtMs !== null)).toEqual([]);
    kept.stop();
    for (const stream of kept.streams) stream.destroy();
    await Promise.all(kept.steps.map(({ closed }) => closed));
    await expectSettled(running, 'cut_revoked');
    await expectRefused(key.key, 401, 'revoked_key');
    expect((await audited('key.revoke')).map(({ subject }) => subject)).toEqual([key.id]);
  }, 60_000);
});

describe('Sentry Mode of the workspace', () => {
  test('cuts the streams of all its projects, and of no other workspace', async () => {
    const second = await server.ask<WorkspaceJson>('/workspaces', { method: 'POST', body: { name: 'second' } });
    const make = async (name: string, workspace_id: string): Promise<string> => {
      const { id } = await server.ask<{ id: string }>('/projects', { method: 'POST', body: { name, workspace_id } });
      const provider = { name: 'mock', kind: 'openai', base_url: stepping.baseUrl, api_key: 'sk-mock', models: ['*'] };
      await server.ask(`/projects/${id}/providers`, { method: 'POST', body: provider });
      return (await server.ask<{ key: string }>(`/projects/${id}/keys`, { method: 'POST', body: { name: 'k' } })).key;
    };
    const [sibling, stranger] = [await make('sibling', workspace), await make('stranger', second.id)];
    const untouched = await open(1, stranger);
    const first = await open(20, server.liveKey);
    const others = await open(20, sibling);
    const both: Running = {
      streams: [...first.streams, ...others.streams],
      steps: [...first.steps, ...others.steps],
      stop: () => [first, others].forEach((one) => one.stop()),
    };
    await expectCut(both, () => sentry(`workspaces/${workspace}`, true), 'sentry_mode');
    for (const key of [server.liveKey, sibling]) await expectRefused(key, 403, 'sentry_mode');
    await eventually('the other workspace goes on', async () => untouched.streams[0]!.words >= 3);
    untouched.stop();
    untouched.streams[0]!.destroy();
    await untouched.steps[0]!.closed;
    await expectSettled(both, 'cut_sentry');
    await sentry(`workspaces/${workspace}`, false);
    await expectServed(sibling);
  }, 30_000);

  test('a project that keeps its streams (cut_streams false) is refused on its next request all the same', async () => {
    await server.policy({ ...POLICY, sentry: { cut_streams: false } });
    const kept = await open(3, server.liveKey);
    await sentry(`workspaces/${workspace}`, true);
    await expectRefused(server.liveKey, 403, 'sentry_mode');
    const words = kept.streams.map((stream) => stream.words);
    await eventually('the streams go on', async () => kept.streams.every((stream, index) => stream.words > words[index]! + 2));
    kept.stop();
    for (const stream of kept.streams) stream.destroy();
    await Promise.all(kept.steps.map(({ closed }) => closed));
    await sentry(`workspaces/${workspace}`, false);
  }, 30_000);
});
