import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Attempt } from '../../src/gateway/attempt.ts';
import { chatCompletion, chatStream, startMockProvider, type MockProvider } from '../support/mock-provider.ts';
import { countSeries, parsePrometheus, samplesOf, valueOf, type ParsedFamily } from '../support/prometheus.ts';
import { startScenario, type Answer, type Scenario } from '../support/scenario.ts';

const TOKEN = 'scrape-0123456789-abcdefgh';
let provider: MockProvider;
let scenario: Scenario;

beforeAll(async () => {
  [provider, scenario] = await Promise.all([startMockProvider(), startScenario(undefined, { PANICLY_METRICS_TOKEN: TOKEN })]);
  const connection = { name: 'mock', kind: 'openai', base_url: provider.baseUrl, models: ['*'] };
  expect((await scenario.operate('POST', '/projects/default/providers', connection)).status).toBe(201);
});
afterAll(async () => {
  await Promise.all([provider.close(), scenario.close()]);
});

function scrape(headers: Readonly<Record<string, string>> = { authorization: `Bearer ${TOKEN}` }, path = '/metrics'): Promise<Answer> {
  return scenario.send(new Request(`http://panicly.test${path}`, { headers: { host: 'panicly.test', ...headers } }));
}

async function metrics(): Promise<Map<string, ParsedFamily>> {
  await scenario.gateway.inFlight.idle();
  return parsePrometheus((await scrape()).text);
}

const live = (body: Readonly<Record<string, unknown>> = {}) => scenario.chat(scenario.made.liveKey, { max_tokens: 10, ...body });

/** What changed between two readings, by name and labels; times and gauges of the process left out. */
async function changes(work: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = await metrics();
  await work();
  const after = await metrics();
  const moved: Record<string, number> = {};
  for (const { samples, type } of after.values()) {
    if (type !== 'counter') continue;
    for (const { name, labels, value } of samples) {
      if (/^process_|_ledger_|_hold|cost/.test(name)) continue;
      const delta = value - valueOf(before, name, labels);
      if (delta !== 0) moved[`${name} ${Object.values(labels).join(' ')}`.trim()] = delta;
    }
  }
  return moved;
}

describe('what happens is counted, and nothing else', () => {
  test('an allowed request', async () => {
    provider.behave(chatCompletion());
    expect(await changes(() => live())).toEqual({
      'panicly_requests_total allow none chat live': 1,
      'panicly_settlements_total completed openai': 1,
      'panicly_tokens_total openai gpt-4.1-mini input': 9,
      'panicly_tokens_total openai gpt-4.1-mini output': 3,
    });
  });

  test('a streamed one', async () => {
    provider.behave(chatStream(5, true));
    expect(await changes(() => live({ stream: true }))).toEqual({
      'panicly_requests_total allow none chat live': 1,
      'panicly_settlements_total completed openai': 1,
      'panicly_tokens_total openai gpt-4.1-mini input': 9,
      'panicly_tokens_total openai gpt-4.1-mini output': 5,
    });
    const after = await metrics();
    expect(valueOf(after, 'panicly_upstream_duration_seconds_count', { stream: 'true' })).toBe(1);
    expect(valueOf(after, 'panicly_upstream_first_byte_seconds_count', { stream: 'true' })).toBe(1);
    expect(valueOf(after, 'panicly_open_streams')).toBe(0);
  });

  test('one that the provider cuts', async () => {
    provider.behave({ ...chatStream(5, true), cutAfter: 2 });
    const broken = () => live({ stream: true }).catch(() => null);
    expect(await changes(broken)).toEqual({
      'panicly_requests_total allow none chat live': 1,
      'panicly_settlements_total upstream_interrupted openai': 1,
    });
  });

  test('one that the provider never answers', async () => {
    provider.behave({ kind: 'reset' });
    expect(await changes(() => live())).toEqual({
      'panicly_requests_total allow none chat live': 1,
      'panicly_failed_requests_total upstream_interrupted chat': 1,
      'panicly_settlements_total upstream_interrupted openai': 1,
    });
  });

  test('a denied one', async () => {
    const before = (await scenario.operate('GET', '/projects/default/policy')).json;
    await scenario.operate('PUT', '/projects/default/policy', { models: { mode: 'enforce', allow: [], block: ['gpt-4.1*'] } });
    expect(await changes(() => live())).toEqual({ 'panicly_requests_total deny model_blocked chat live': 1 });
    expect(await changes(() => live({ stream: true }))).toEqual({ 'panicly_requests_total deny model_blocked chat live': 1 });
    expect(valueOf(await metrics(), 'panicly_overhead_seconds_count', { decision: 'deny' })).toBe(2);
    await scenario.operate('PUT', '/projects/default/policy', before['policy']);
  });

  test.each([
    ['no key', () => scenario.chat('nonsense'), 'invalid_key'],
    ['no model', () => live({ model: undefined }), 'missing_model'],
  ])('one with %s has no decision', async (_, ask, reason) => {
    expect(await changes(ask)).toEqual({ [`panicly_requests_total none ${reason} chat none`]: 1 });
  });

  test('one with a test key', async () => {
    const moved = await changes(() => scenario.chat(scenario.made.testKey, { model: 'invented' }));
    expect(moved).toMatchObject({ 'panicly_requests_total allow none chat test': 1, 'panicly_settlements_total completed simulator': 1 });
    expect(Object.keys(moved).some((key) => key.includes('invented'))).toBe(false);
  });
});

describe('sums', () => {
  test('the cost is what the ledger has', async () => {
    provider.behave(chatCompletion());
    await live({ model: 'gpt-4.1' });
    const after = await metrics();
    await scenario.ledger.ledger.drain();
    const usage = await scenario.operate('GET', '/usage?group_by=model&environment=live');
    const rows = usage.json['data'] as readonly { readonly cost_usd: string }[];
    const nanos = (text: string) => Math.round(Number(text) * 1e9);
    const inLedger = rows.reduce((sum, { cost_usd: cost }) => sum + nanos(cost), 0);
    expect(inLedger).toBeGreaterThan(0);
    const sum = (name: string, labels: Readonly<Record<string, string>>) => nanos(String(valueOf(after, name, labels)));
    expect(sum('panicly_cost_usd_total', { provider: 'openai' })).toBe(inLedger);
    expect(sum('panicly_project_cost_usd_total', { environment: 'live' })).toBe(inLedger);
  });

  test('a budget has left what is neither spent nor held', async () => {
    const all = await metrics();
    const [limit, left] = ['panicly_budget_limit_usd', 'panicly_budget_remaining_usd'].map((name) => samplesOf(all, name));
    expect(limit!.map(({ labels, text }) => [labels['rule'], labels['mode'], text])).toEqual([['project day budget', 'enforce', '10.00']]);
    expect(left!.length).toBe(1);
    const nanos = (value: number) => Math.round(value * 1e9);
    const spent = nanos(valueOf(all, 'panicly_project_cost_usd_total', { environment: 'live' }));
    expect(nanos(left![0]!.value)).toBe(nanos(10) - spent);
  });

  test('what is held is there while it is held', async () => {
    provider.behave(chatStream(3, true));
    const release = provider.hold();
    const before = provider.seen.length;
    const answering = live({ stream: true });
    await provider.arrived(before + 1);
    const during = parsePrometheus((await scrape()).text);
    expect(valueOf(during, 'panicly_held_usd', { environment: 'live' })).toBeGreaterThan(0);
    expect(valueOf(during, 'panicly_open_holds')).toBe(1);
    expect(valueOf(during, 'panicly_open_streams')).toBe(1);
    expect(valueOf(during, 'panicly_requests_in_flight')).toBe(1);
    release();
    await answering;
    const after = await metrics();
    expect(valueOf(after, 'panicly_held_usd')).toBe(0);
    expect(valueOf(after, 'panicly_open_holds')).toBe(0);
  });

  test('commits, the process and the overhead have their figures', async () => {
    const all = await metrics();
    expect(valueOf(all, 'panicly_ledger_commit_seconds_count')).toBeGreaterThan(3);
    expect(valueOf(all, 'panicly_ledger_batch_rows_sum')).toBeGreaterThanOrEqual(valueOf(all, 'panicly_ledger_batch_rows_count'));
    expect(valueOf(all, 'panicly_ledger_file_bytes', { file: 'wal' })).toBeGreaterThan(0);
    expect(valueOf(all, 'panicly_ledger_available')).toBe(1);
    expect(valueOf(all, 'process_resident_memory_bytes')).toBeGreaterThan(1e7);
    expect(valueOf(all, 'panicly_build_info')).toBe(1);
    const admitted = valueOf(all, 'panicly_requests_total', { decision: 'allow' });
    expect(valueOf(all, 'panicly_overhead_seconds_count', { decision: 'allow' })).toBe(admitted);
    expect(valueOf(all, 'panicly_overhead_seconds_sum', { decision: 'allow' })).toBeLessThan(admitted);
  });
});

test('the wait for a whole answer ends when it is there; what comes after is overhead', async () => {
  provider.behave(chatCompletion());
  const ended: Attempt[] = [];
  scenario.gateway.observers.push({ ended: (attempt) => void ended.push(attempt) });
  await live();
  scenario.gateway.observers.pop();
  const { sentMs, answeredMs, startedMs, settlement } = ended[0]!;
  expect(answeredMs!).toBeGreaterThan(sentMs!);
  expect(answeredMs!).toBeLessThanOrEqual(startedMs + settlement!.durationMs);
});

test('nobody follows single requests unless the settings say so', () => {
  expect(scenario.gateway.follow).toBeUndefined();
  expect(scenario.watching.lines).toEqual([]);
});

describe('who may look', () => {
  test.each([
    ['an operator', () => scenario.made.operatorToken, 200],
    ['the token for it', () => TOKEN, 200],
    ['a project key', () => scenario.made.liveKey, 401],
    ['a wrong token', () => `${TOKEN.slice(0, -1)}x`, 401],
    ['the beginning of the token', () => TOKEN.slice(0, -1), 401],
  ])('%s', async (_, token, status) => {
    expect((await scrape({ authorization: `Bearer ${token()}` })).status).toBe(status);
  });

  test('nobody without a token, and nobody with it at another door', async () => {
    expect((await scrape({})).status).toBe(401);
    expect((await scrape(undefined, '/admin/v1/projects')).status).toBe(401);
    expect((await scenario.chat(TOKEN)).status).toBe(401);
  });

  test('wrong tokens are limited', async () => {
    for (let index = 0; index < 25; index++) await scrape({ authorization: 'Bearer guess' });
    expect((await scrape({ authorization: 'Bearer guess' })).status).toBe(429);
    expect((await scrape()).status).toBe(200);
  });
});

test('no client can make the number of series grow, and nothing that it sends becomes a label', async () => {
  provider.behave(chatCompletion());
  await scenario.operate('PUT', '/projects/default/policy', {
    burst: { mode: 'off' },
    abuse: { mode: 'off' },
    loop_guard: { mode: 'off' },
    concurrency: { mode: 'off' },
    budgets: [],
  });
  const before = countSeries(await metrics());
  const one = (index: number) => {
    const key = index % 2 === 0 ? scenario.made.testKey : scenario.made.liveKey;
    const body = { model: `canary-model-${index}`, user: `canary-user-${index}`, max_tokens: 5 };
    return scenario.chat(key, body, { 'x-panicly-user': `canary-person-${index}`, 'x-request-id': `canary-id-${index}` });
  };
  for (let index = 0; index < 1_000; index += 50) await Promise.all(Array.from({ length: 50 }, (_, some) => one(index + some)));
  const after = await metrics();
  expect(valueOf(after, 'panicly_requests_total', { decision: 'allow', environment: 'test' })).toBeGreaterThan(400);
  expect(countSeries(after) - before).toBeLessThan(60);
  expect(samplesOf(after, 'panicly_tokens_total').every(({ labels }) => !labels['model']!.includes('canary'))).toBe(true);
  const { text } = await scrape();
  for (const secret of ['canary', scenario.made.liveKey, scenario.made.testKey, scenario.made.operatorToken, TOKEN])
    expect(text).not.toContain(secret);
}, 30_000);
