import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { startMockProvider } from '../support/mock-provider.ts';
import { startScenario, type Answer, type Scenario } from '../support/scenario.ts';
import { inhabit, type Inhabited } from '../support/two-workspaces.ts';

/** What operators who are bound to a workspace can do in it; `operator-routes.test.ts` tries every route from outside. */
const provider = await startMockProvider();
let scenario: Scenario;
let own: Inhabited;

beforeEach(async () => {
  scenario = await startScenario();
  own = await inhabit(scenario, 'beta');
});
afterEach(() => scenario.close());
afterAll(() => provider.close());

const asOwner = (method: string, path: string, body?: unknown): Promise<Answer> =>
  scenario.operate(method, path, body, { token: own.owner });

const rows = (answer: Answer) => answer.json['data'] as Record<string, unknown>[];

function reasonOf(answer: Answer): unknown {
  return (answer.json['error'] as { reason?: unknown } | undefined)?.reason;
}

describe('an owner of a workspace', () => {
  test('runs it: projects, keys, policy, sentry, providers, corrections', async () => {
    const made = await asOwner('POST', '/projects', { name: 'app' });
    expect([made.status, made.json['workspace_id']]).toEqual([201, own.workspace]);
    const writes: readonly (readonly [string, string, unknown, number])[] = [
      ['PATCH', '/projects/app', { name: 'app2' }, 200],
      ['POST', '/projects/app2/keys', { name: 'k' }, 201],
      ['POST', `/keys/${own.key}/rotate`, { overlap_seconds: 60 }, 201],
      ['POST', `/keys/${own.key}/revoke`, undefined, 200],
      ['PUT', '/projects/app2/policy', { budgets: [] }, 200],
      ['PUT', `/workspaces/${own.workspace}/policy`, { budgets: [] }, 200],
      ['PUT', '/workspaces/beta/sentry', { enabled: false }, 200],
      ['POST', '/projects/app2/providers', { name: 'c', kind: 'openai', api_key: 'sk-x' }, 201],
      ['PATCH', `/providers/${own.provider}`, { models: ['a*'] }, 200],
      ['POST', `/decisions/${own.decision}/corrections`, { cost_usd: '0.1', note: 'n' }, 201],
      ['POST', '/projects/beta/policy/replay', {}, 200],
      ['DELETE', '/projects/app2', undefined, 204],
    ];
    for (const [method, path, body, status] of writes) expect([path, (await asOwner(method, path, body)).status]).toEqual([path, status]);
    expect(await scenario.problems()).toEqual([]);
  });

  test('lets others into it and shuts them out, and no one into more', async () => {
    const made = await asOwner('POST', '/operators', { name: 'ann', role: 'owner' });
    expect(made.json).toMatchObject({ workspace_id: own.workspace, role: 'owner' });
    expect((await scenario.operate('POST', '/workspaces', { name: 'w' }, { token: String(made.json['token']) })).status).toBe(403);
    expect(reasonOf(await asOwner('POST', '/operators', { name: 'x', role: 'viewer', workspace_id: null }))).toBe('forbidden');
    const listed = rows(await asOwner('GET', '/operators'));
    expect(new Set(listed.map(({ workspace_id }) => workspace_id))).toEqual(new Set([own.workspace]));
    const [first] = rows(await scenario.operate('GET', '/operators'));
    expect(first).toMatchObject({ workspace_id: null });
    expect(reasonOf(await asOwner('DELETE', `/operators/${String(first!['id'])}`))).toBe('unknown_resource');
    for (const { id } of listed.slice(1)) expect((await asOwner('DELETE', `/operators/${String(id)}`)).status).toBe(204);
    expect((await asOwner('DELETE', `/operators/${own.operator}`)).status).toBe(204);
    expect(reasonOf(await asOwner('GET', '/status'))).toBe('invalid_key');
  });

  test('is no reason to let the last owner of the installation go', async () => {
    const [first] = rows(await scenario.operate('GET', '/operators'));
    expect((await scenario.operate('DELETE', `/operators/${String(first!['id'])}`)).status).toBe(409);
  });

  test('stays bound over a restart', async () => {
    scenario = await scenario.restart();
    expect(rows(await asOwner('GET', '/workspaces')).map(({ id }) => id)).toEqual([own.workspace]);
    expect((await asOwner('GET', '/prices')).status).toBe(403);
  });

  test('cannot give it more than it was given: plan, volume and credits are the installation’s', async () => {
    const before = (await asOwner('GET', `/workspaces/${own.workspace}`)).text;
    expect(reasonOf(await asOwner('PATCH', `/workspaces/${own.workspace}`, { plan: 'unlimited' }))).toBe('forbidden');
    expect(reasonOf(await asOwner('POST', `/workspaces/${own.workspace}/credits`, { requests: 9, note: 'me' }))).toBe('forbidden');
    expect((await asOwner('GET', `/workspaces/${own.workspace}`)).text).toBe(before);
  });

  test('learns nothing of names that are taken elsewhere', async () => {
    const names = await Promise.all(['default', 'nowhere'].map((name) => asOwner('POST', '/projects', { name })));
    expect(names.map(({ status }) => status)).toEqual([201, 201]);
    // Now two projects are called so; each operator means the one that it sees.
    expect((await asOwner('GET', '/projects/default')).json['workspace_id']).toBe(own.workspace);
    expect((await scenario.operate('GET', '/projects/default')).status).toBe(400);
  });
});

describe('what a workspace must not reach through its connections', () => {
  const connect = (body: object) => asOwner('POST', '/projects/beta/providers', { name: 'c', kind: 'custom', ...body });

  test('variables of the server’s environment: one may hold the key of others', async () => {
    const asked = await connect({ base_url: 'https://collector.example.com/v1', api_key_env: 'OPENAI_API_KEY' });
    expect([asked.status, reasonOf(asked)]).toEqual([403, 'forbidden']);
    const changed = await asOwner('PATCH', `/providers/${own.provider}`, { api_key_env: 'OPENAI_API_KEY' });
    expect(reasonOf(changed)).toBe('forbidden');
  });

  test('a key that was given for another address', async () => {
    const base_url = 'https://collector.example.com/v1';
    expect(reasonOf(await asOwner('PATCH', `/providers/${own.provider}`, { base_url }))).toBe('forbidden');
    expect((await asOwner('PATCH', `/providers/${own.provider}`, { base_url, api_key: 'sk-mine' })).status).toBe(200);
    const input = { name: 'env', kind: 'openai', api_key_env: 'OPENAI_API_KEY' };
    const made = await scenario.operate('POST', '/projects/beta/providers', input);
    expect(made.status).toBe(201);
    expect(reasonOf(await asOwner('PATCH', `/providers/${String(made.json['id'])}`, { base_url }))).toBe('forbidden');
  });

  test('programs on the machine itself, which owners of the installation may reach', async () => {
    expect((await connect({ base_url: provider.baseUrl })).status).toBe(400);
    const body = { name: 'local', kind: 'custom', base_url: provider.baseUrl };
    expect((await scenario.operate('POST', '/projects/beta/providers', body)).status).toBe(201);
  });
});

describe('reports', () => {
  test('pages of decisions and of the audit hold their workspace only, without gaps or repeats', async () => {
    const other = await inhabit(scenario, 'gamma');
    for (let round = 0; round < 6; round++) await scenario.chat(round % 2 === 0 ? own.secret : other.secret, { user: `u${round}` });
    await asOwner('POST', '/projects', { name: 'second' });
    const { json: key } = await asOwner('POST', '/projects/second/keys', { name: 'k', environment: 'test' });
    await scenario.chat(String(key['key']), { user: 'last' });
    for (const path of ['/decisions', '/audit']) {
      const whole = rows(await asOwner('GET', `${path}?limit=1000`)).map(({ id }) => id);
      const paged: unknown[] = [];
      for (let cursor = ''; cursor !== 'null';) {
        const page = await asOwner('GET', `${path}?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
        paged.push(...rows(page).map(({ id }) => id));
        cursor = String(page.json['next_cursor']);
      }
      expect(paged).toEqual(whole);
      expect(new Set(paged).size).toBe(paged.length);
    }
    const decisions = rows(await asOwner('GET', '/decisions'));
    expect(decisions.map(({ end_user }) => end_user)).toEqual(['last', 'u4', 'u2', 'u0', 'beta']);
    expect(new Set(decisions.map(({ workspace_id }) => workspace_id))).toEqual(new Set([own.workspace]));
  });

  test('status and usage count nothing of the others', async () => {
    const other = await inhabit(scenario, 'gamma');
    await scenario.chat(other.secret);
    await scenario.chat(scenario.made.testKey);
    const status = (await asOwner('GET', '/status')).json;
    expect(status).toMatchObject({ test_requests_today: 1, requests_in_flight: 0, workspaces: [{ id: own.workspace }] });
    expect((status['projects'] as { id: string }[]).map(({ id }) => id)).toEqual([own.project]);
    const usage = rows(await asOwner('GET', '/usage?group_by=environment'));
    expect(usage).toMatchObject([{ environment: 'test', requests: 1 }]);
  });

  test('the audit of a workspace tells of what was done to it from above', async () => {
    await scenario.operate('PATCH', `/workspaces/${own.workspace}`, { plan: 'plus' });
    await scenario.operate('PUT', '/prices/openai/gpt-4.1?confirm=true', { input_usd: '9' });
    const actions = rows(await asOwner('GET', '/audit')).map(({ action }) => action);
    expect(actions).toEqual([
      'workspace.update',
      'alert.create',
      'decision.correct',
      'operator.create',
      'operator.create',
      'credits.grant',
      'provider.create',
      'key.create',
      'project.create',
      'workspace.create',
    ]);
  });

  test('a tail ends when its token expires, and one operator cannot take all of them', async () => {
    const expires_at = new Date(scenario.clock.nowMs() + 60_000).toISOString();
    const made = await asOwner('POST', '/operators', { name: 'guest', role: 'viewer', expires_at });
    const token = String(made.json['token']);
    const open = () =>
      scenario.app.handle(
        new Request('http://panicly.test/admin/v1/decisions/tail', { headers: { host: 'panicly.test', authorization: `Bearer ${token}` } }),
      );
    const tails = await Promise.all(Array.from({ length: 11 }, open));
    expect(tails.map(({ status }) => status)).toEqual([...Array<number>(10).fill(200), 503]);
    const readers = tails.slice(0, 10).map((tail) => tail.body!.getReader());
    for (const reader of readers) await reader.read();
    scenario.clock.pass(61_000);
    const ends = await Promise.all(readers.map(async (reader) => (await reader.read()).done));
    expect(ends).toEqual(Array<boolean>(10).fill(true));
  });
});

test('metrics are of the whole installation', async () => {
  const headers = { host: 'panicly.test', authorization: `Bearer ${own.owner}` };
  expect((await scenario.send(new Request('http://panicly.test/metrics', { headers }))).status).toBe(403);
});
