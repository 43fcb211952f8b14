import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { newSecret } from '../../src/domain/key.ts';
import { startMockProvider, type MockProvider } from '../support/mock-provider.ts';
import { startScenario, type Answer, type Scenario } from '../support/scenario.ts';

const HOUR_MS = 3_600_000;
let provider: MockProvider;
let scenario: Scenario;

beforeAll(async () => {
  provider = await startMockProvider();
});
afterAll(() => provider.close());
beforeEach(async () => {
  scenario = await startScenario();
  const connection = { name: 'mock', kind: 'openai', base_url: provider.baseUrl, models: ['*'] };
  expect((await scenario.operate('POST', '/projects/default/providers', connection)).status).toBe(201);
});
afterEach(() => scenario.close());

const live = (key = scenario.made.liveKey, body: Readonly<Record<string, unknown>> = {}) => scenario.chat(key, { max_tokens: 10, ...body });

const ascending = (a: number, b: number) => a - b;

function reasonOf(answer: Answer): unknown {
  return (answer.json['error'] as { reason?: unknown } | undefined)?.reason;
}

describe('operators', () => {
  test('a token is shown once, works, and stops at once when its operator is removed', async () => {
    const made = await scenario.operate('POST', '/operators', { name: 'ann', role: 'owner' });
    const token = String(made.json['token']);
    expect((await scenario.operate('POST', '/projects', { name: 'x' }, { token })).status).toBe(201);
    const listed = await scenario.operate('GET', '/operators');
    expect(listed.json['data']).toMatchObject([
      { name: 'first operator' },
      { id: made.json['id'], name: 'ann', role: 'owner', expires_at: null },
    ]);
    expect((await scenario.operate('DELETE', `/operators/${String(made.json['id'])}`)).status).toBe(204);
    expect(reasonOf(await scenario.operate('GET', '/status', undefined, { token }))).toBe('invalid_key');
    scenario = await scenario.restart();
    expect(reasonOf(await scenario.operate('GET', '/status', undefined, { token }))).toBe('invalid_key');
  });

  test('a token that expires does, also after a restart', async () => {
    const expires_at = new Date(scenario.clock.nowMs() + HOUR_MS).toISOString();
    const made = await scenario.operate('POST', '/operators', { name: 'guest', role: 'viewer', expires_at });
    expect(made.json).toMatchObject({ expires_at });
    const token = String(made.json['token']);
    expect((await scenario.operate('GET', '/status', undefined, { token })).status).toBe(200);
    scenario = await scenario.restart();
    scenario.clock.pass(HOUR_MS - 60_000);
    expect((await scenario.operate('GET', '/status', undefined, { token })).status).toBe(200);
    scenario.clock.pass(61_000);
    expect(reasonOf(await scenario.operate('GET', '/status', undefined, { token }))).toBe('expired_key');
  });

  test('the last owner who can always come back stays', async () => {
    const soon = new Date(scenario.clock.nowMs() + HOUR_MS).toISOString();
    await scenario.operate('POST', '/operators', { name: 'guest', role: 'owner', expires_at: soon });
    await scenario.operate('POST', '/operators', { name: 'looker', role: 'viewer' });
    const [first] = (await scenario.operate('GET', '/operators')).json['data'] as { id: string }[];
    expect((await scenario.operate('DELETE', `/operators/${first!.id}`)).status).toBe(409);
  });

  test('two who remove each other at once leave one', async () => {
    const other = await scenario.operate('POST', '/operators', { name: 'ann', role: 'owner' });
    const [first] = (await scenario.operate('GET', '/operators')).json['data'] as { id: string }[];
    const both = await Promise.all([
      scenario.operate('DELETE', `/operators/${first!.id}`, undefined, { token: String(other.json['token']) }),
      scenario.operate('DELETE', `/operators/${String(other.json['id'])}`),
    ]);
    expect(both.map(({ status }) => status).toSorted(ascending)).toEqual([204, 409]);
  });
});

describe('failed attempts', () => {
  test('are limited, write nothing, shut out nobody who has a token, and are forgotten after a minute', async () => {
    const { lastSeq } = await checkpoint();
    const wrong = () => scenario.operate('GET', '/status', undefined, { token: newSecret('po_live_') });
    for (let attempt = 0; attempt < 20; attempt++) expect((await wrong()).status).toBe(401);
    const limited = await wrong();
    expect([limited.status, reasonOf(limited), limited.headers.get('retry-after')]).toEqual([429, 'too_many_attempts', '60']);
    expect((await scenario.operate('GET', '/status', undefined, { token: 'po_live_nonsense' })).status).toBe(429);
    expect((await scenario.operate('GET', '/status')).status).toBe(200);
    expect((await checkpoint()).lastSeq).toEqual(lastSeq);
    scenario.clock.pass(60_000);
    expect((await wrong()).status).toBe(401);
  });

  /** The newest row of the ledger, by way of the newest audit event and decision. */
  async function checkpoint() {
    const { items } = await scenario.office.store.listAudit(null, 1);
    const page = await scenario.office.store.listDecisions({}, null, 1);
    return { lastSeq: [items[0]?.seq ?? 0, page.items[0]?.decision.seq ?? 0] };
  }
});

describe('keys', () => {
  test('a rotated key goes on with the budget of its line, and the old one is dead at once', async () => {
    await scenario.operate('PUT', '/prices/openai/gpt-4.1-mini', { input_usd: '1000', output_usd: '1000' });
    await scenario.operate('PUT', '/projects/default/policy', { budgets: [{ scope: 'key', period: 'day', limit_usd: '1.00' }] });
    await live();
    const { id, spent_usd } = await keyBudget();
    const rotated = await scenario.operate('POST', `/keys/${id}/rotate`);
    expect(rotated.json).toMatchObject({ environment: 'live', name: 'default live key', revoked_at: null });
    expect(reasonOf(await live())).toBe('revoked_key');
    expect((await live(String(rotated.json['key']))).status).toBe(200);
    expect(await keyBudget()).toEqual({ id, spent_usd: (Number(spent_usd) * 2).toFixed(3) });
    const again = await scenario.operate('POST', `/keys/${String(rotated.json['id'])}/rotate`);
    scenario = await scenario.restart();
    await live(String(again.json['key']));
    expect(await keyBudget()).toEqual({ id, spent_usd: (Number(spent_usd) * 3).toFixed(3) });
    const newest = (await scenario.operate('GET', `/decisions?key=${String(again.json['id'])}`)).json['data'] as unknown[];
    expect(newest).toHaveLength(3);
  });

  test('with an overlap both work until it is over', async () => {
    const keys = (await scenario.operate('GET', '/projects/default/keys')).json['data'] as { id: string; environment: string }[];
    const { id } = keys.find(({ environment }) => environment === 'live')!;
    const rotated = await scenario.operate('POST', `/keys/${id}/rotate`, { overlap_seconds: 600 });
    const fresh = String(rotated.json['key']);
    expect([(await live()).status, (await live(fresh)).status]).toEqual([200, 200]);
    scenario.clock.pass(601_000);
    expect([reasonOf(await live()), (await live(fresh)).status]).toEqual(['expired_key', 200]);
    await scenario.operate('POST', `/keys/${String(rotated.json['id'])}/revoke`);
    expect((await scenario.operate('POST', `/keys/${String(rotated.json['id'])}/rotate`)).status).toBe(409);
  });

  test('what create returns is what is stored', async () => {
    const expires_at = new Date(scenario.clock.nowMs() + HOUR_MS).toISOString();
    const made = await scenario.operate('POST', '/projects/default/keys', { name: 'k', environment: 'test', expires_at });
    const { key, ...rest } = made.json;
    expect(rest).toMatchObject({ name: 'k', environment: 'test', expires_at, revoked_at: null });
    scenario = await scenario.restart();
    const listed = (await scenario.operate('GET', '/projects/default/keys')).json['data'] as object[];
    expect(listed).toContainEqual(rest);
    expect((await scenario.chat(String(key))).status).toBe(200);
  });

  async function keyBudget(): Promise<{ id: string; spent_usd: string }> {
    const { json } = await scenario.operate('GET', '/status');
    const [budget] = (json['projects'] as { budgets: { key_id: string; spent_usd: string }[] }[])[0]!.budgets;
    return { id: budget!.key_id, spent_usd: budget!.spent_usd };
  }
});

describe('policies', () => {
  test('of two operators who read the same version, one writes and the other is told', async () => {
    const path = '/projects/default/policy';
    const etag = (await scenario.operate('GET', path)).headers.get('etag')!;
    const put = (limit_usd: string) =>
      scenario.operate('PUT', path, { budgets: [{ scope: 'project', period: 'day', limit_usd }] }, { headers: { 'if-match': etag } });
    const both = await Promise.all([put('1.00'), put('2.00')]);
    expect(both.map(({ status }) => status).toSorted(ascending)).toEqual([200, 409]);
    expect((await put('3.00')).status).toBe(409);
    expect((await scenario.operate('PUT', path, { budgets: [] }, { headers: { 'if-match': 'W/"x"' } })).status).toBe(400);
    const versions = (await scenario.operate('GET', `${path}/versions`)).json['data'] as { version: number }[];
    expect(versions.map(({ version }) => version)).toEqual([2, 1]);
  });

  test('a workspace has versions too', async () => {
    await scenario.operate('PUT', '/workspaces/default/policy', { budgets: [{ scope: 'workspace', period: 'month', limit_usd: '5' }] });
    const versions = (await scenario.operate('GET', '/workspaces/default/policy/versions')).json['data'] as { version: number }[];
    expect(versions.map(({ version }) => version)).toEqual([2, 1]);
    expect((await scenario.operate('GET', '/status')).json['workspaces']).toMatchObject([
      { budgets: [{ rule: 'workspace month budget', limit_usd: '5.00' }] },
    ]);
  });
});

describe('projects', () => {
  test('a name is taken once, also when it is given later', async () => {
    await scenario.operate('POST', '/projects', { name: 'web' });
    const again = await scenario.operate('POST', '/projects', { name: 'web' });
    expect([again.status, (again.json['error'] as { message: string }).message]).toEqual([409, 'This name is taken. Choose another one.']);
    expect((await scenario.operate('PATCH', '/projects/default', { name: 'web' })).status).toBe(409);
    expect((await scenario.operate('PATCH', '/projects/default', { name: 'main' })).json).toMatchObject({ name: 'main' });
    expect((await scenario.operate('GET', '/projects/main')).status).toBe(200);
    expect((await live()).status).toBe(200);
  });

  test('a deleted one takes its keys with it', async () => {
    const made = await scenario.operate('POST', '/projects', { name: 'web' });
    const { json } = await scenario.operate('POST', '/projects/web/keys', { name: 'k' });
    expect((await scenario.operate('DELETE', `/projects/${String(made.json['id'])}`)).status).toBe(204);
    expect(reasonOf(await live(String(json['key'])))).toBe('invalid_key');
    expect((await scenario.operate('POST', `/keys/${String(json['id'])}/rotate`)).status).toBe(404);
  });
});

describe('evidence', () => {
  test('status says what stands', async () => {
    await live();
    await scenario.operate('PUT', '/projects/default/sentry', { enabled: true });
    await live();
    await live();
    await scenario.chat(scenario.made.testKey);
    const { json } = await scenario.operate('GET', '/status');
    expect(json).toMatchObject({ ledger: { available: true, clock_confirmed: true }, requests_in_flight: 0 });
    expect((json['projects'] as unknown[])[0]).toMatchObject({
      name: 'default',
      sentry: 'project',
      requests_today: 3,
      denied_today: 2,
      denials_today: { sentry_mode: 2 },
    });
    await scenario.operate('PUT', '/projects/default/sentry', { enabled: false });
    await scenario.operate('PUT', '/workspaces/default/sentry', { enabled: true });
    const after = (await scenario.operate('GET', '/status')).json;
    expect([after['workspaces'], after['projects']]).toMatchObject([[{ sentry: true }], [{ sentry: 'workspace' }]]);
  });

  test('usage is grouped and filtered', async () => {
    await live();
    await live(scenario.made.liveKey, { model: 'gpt-4.1' });
    const lines = (await scenario.operate('GET', '/usage?group_by=model,environment&project=default')).json['data'] as Record<
      string,
      unknown
    >[];
    expect(lines.map(({ model, environment, requests }) => [model, environment, requests])).toEqual([
      ['gpt-4.1', 'live', 1],
      ['gpt-4.1-mini', 'live', 1],
    ]);
    expect((await scenario.operate('GET', '/usage?environment=test')).json['data']).toEqual([]);
    const bad = await scenario.operate('GET', '/usage?group_by=colour');
    expect([bad.status, (bad.json['error'] as { param: string }).param]).toEqual([400, 'group_by']);
    expect((await scenario.operate('GET', '/usage?from=yesterday')).status).toBe(400);
  });

  test('verify runs beside everything else and says what it saw', async () => {
    await live();
    const [report, status] = await Promise.all([scenario.operate('GET', '/ledger/verify'), scenario.operate('GET', '/status')]);
    expect([report.json, status.status]).toMatchObject([
      { ok: true, decisions: 1, settlements: 1, problems: [], first_bad_row: null },
      200,
    ]);
  });

  test('the tail brings what is decided from now on', async () => {
    await live();
    const headers = { host: 'panicly.test', authorization: `Bearer ${scenario.made.operatorToken}` };
    const response = await scenario.app.handle(new Request('http://panicly.test/admin/v1/decisions/tail?decision=allow', { headers }));
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const reader = response.body!.getReader();
    const next = async () => new TextDecoder().decode((await reader.read()).value);
    expect(await next()).toBe(': watching\n\n');
    const id = (await live()).headers.get('x-panicly-decision-id')!;
    const event = await next();
    expect(event).toMatch(/^event: decision\ndata: \{.*\}\n\n$/);
    expect(JSON.parse(event.slice(event.indexOf('{')))).toMatchObject({ id, decision: 'allow' });
    await reader.cancel();
  });
});

describe('the clock', () => {
  test('a jump forward stops admission until an operator confirms it', async () => {
    expect((await live()).status).toBe(200);
    scenario.clock.jump(2 * HOUR_MS);
    expect(reasonOf(await live())).toBe('clock_unconfirmed');
    expect((await scenario.operate('GET', '/status')).json['ledger']).toMatchObject({ available: true, clock_confirmed: false });
    const confirmed = await scenario.operate('POST', '/ledger/confirm-clock');
    expect(Math.abs(Date.parse(String(confirmed.json['now'])) - scenario.clock.nowMs())).toBeLessThan(60_000);
    expect((await live()).status).toBe(200);
    expect(await scenario.problems()).toEqual([]);
  });
});
