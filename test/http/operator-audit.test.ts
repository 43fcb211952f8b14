import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import models from '../../db/models.json';
import { startScenario, type Scenario } from '../support/scenario.ts';

const PROVIDER_CANARY = 'sk-canary-4f1d9c77e0b24a86';
const SECOND_CANARY = 'sk-canary-second-91ab33';
const URL_CANARY = 'hook-canary-77d0a1';

let scenario: Scenario;
/** Every secret that was seen or sent. */
const secrets: string[] = [PROVIDER_CANARY, SECOND_CANARY, URL_CANARY];
const ids: Record<string, string> = {};

interface Write {
  readonly method: string;
  readonly path: () => string;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly status: number;
  readonly action: string;
  /** Keeps the id of the answer under this name. */
  readonly keep?: string;
}

/** Every write of the operator API once, in an order in which each can succeed. */
const WRITES: readonly Write[] = [
  { method: 'POST', path: () => '/workspaces', body: { name: 'second' }, status: 201, action: 'workspace.create', keep: 'workspace' },
  { method: 'PATCH', path: () => `/workspaces/${ids['workspace']}`, body: { plan: 'plus' }, status: 200, action: 'workspace.update' },
  { method: 'POST', path: () => '/workspaces/second/credits', body: { requests: 5, note: 'gift' }, status: 201, action: 'credits.grant' },
  { method: 'PUT', path: () => '/workspaces/second/sentry', body: { enabled: true }, status: 200, action: 'sentry.on' },
  { method: 'PUT', path: () => '/workspaces/second/sentry', body: { enabled: false }, status: 200, action: 'sentry.off' },
  { method: 'PUT', path: () => '/workspaces/second/policy', body: { budgets: [] }, status: 200, action: 'policy.set' },
  { method: 'POST', path: () => '/projects', body: { name: 'web' }, status: 201, action: 'project.create', keep: 'project' },
  { method: 'PATCH', path: () => `/projects/${ids['project']}`, body: { name: 'web2' }, status: 200, action: 'project.update' },
  { method: 'PUT', path: () => '/projects/web2/sentry', body: { enabled: true }, status: 200, action: 'sentry.on' },
  { method: 'PUT', path: () => '/projects/web2/sentry', body: { enabled: false }, status: 200, action: 'sentry.off' },
  { method: 'PUT', path: () => '/projects/web2/policy', body: { budgets: [] }, status: 200, action: 'policy.set' },
  { method: 'POST', path: () => '/projects/web2/keys', body: { name: 'k' }, status: 201, action: 'key.create', keep: 'key' },
  { method: 'POST', path: () => `/keys/${ids['key']}/rotate`, body: { overlap_seconds: 60 }, status: 201, action: 'key.rotate' },
  { method: 'POST', path: () => `/keys/${ids['key']}/revoke`, status: 200, action: 'key.revoke' },
  {
    method: 'POST',
    path: () => '/projects/web2/providers',
    body: { name: 'c', kind: 'openai', api_key: PROVIDER_CANARY },
    status: 201,
    action: 'provider.create',
    keep: 'provider',
  },
  {
    method: 'PATCH',
    path: () => `/providers/${ids['provider']}`,
    body: { name: 'c2', api_key: SECOND_CANARY },
    status: 200,
    action: 'provider.update',
  },
  { method: 'DELETE', path: () => `/providers/${ids['provider']}`, status: 204, action: 'provider.delete' },
  { method: 'PUT', path: () => '/prices/custom/mine', body: { input_usd: '1', output_usd: '2' }, status: 200, action: 'price.set' },
  { method: 'DELETE', path: () => '/prices/custom/mine?confirm=true', status: 204, action: 'price.unset' },
  {
    method: 'POST',
    path: () => '/prices/catalogue',
    body: { document: { ...models, as_of: '2026-07-03' } },
    status: 200,
    action: 'prices.refresh',
  },
  { method: 'POST', path: () => '/prices/catalogue/rollback', status: 200, action: 'prices.rollback' },
  {
    method: 'POST',
    path: () => '/operators',
    body: { name: 'o', role: 'viewer' },
    status: 201,
    action: 'operator.create',
    keep: 'operator',
  },
  { method: 'DELETE', path: () => `/operators/${ids['operator']}`, status: 204, action: 'operator.delete' },
  {
    method: 'POST',
    path: () => '/alerts',
    body: { name: 'a', url: `http://127.0.0.1:9/${URL_CANARY}`, events: ['sentry'] },
    status: 201,
    action: 'alert.create',
    keep: 'alert',
  },
  { method: 'POST', path: () => `/alerts/${ids['alert']}/test`, status: 200, action: 'alert.test' },
  { method: 'DELETE', path: () => `/alerts/${ids['alert']}`, status: 204, action: 'alert.delete' },
  { method: 'POST', path: () => '/backup', status: 201, action: 'backup.make', keep: 'backup' },
  { method: 'DELETE', path: () => `/backups/${ids['backup']}`, status: 204, action: 'backup.delete' },
  { method: 'POST', path: () => '/master-key/rotate', status: 200, action: 'master_key.rotate' },
  { method: 'POST', path: () => '/ledger/confirm-clock', status: 200, action: 'clock.confirm' },
  {
    method: 'POST',
    path: () => `/decisions/${ids['decision']}/corrections`,
    body: { cost_usd: '0.01', note: 'the bill says so' },
    status: 201,
    action: 'decision.correct',
  },
  { method: 'DELETE', path: () => `/projects/${ids['project']}`, status: 204, action: 'project.delete' },
];

/** What only looks although it is no GET. */
const LOOKS: ReadonlySet<string> = new Set(['POST /projects/:id/policy/replay', 'POST /keys/:id']);

/** What leaves several events, leaves its event later, or needs more than a request: the tests of each look at them. */
const ELSEWHERE: ReadonlySet<string> = new Set(['PUT /configuration', 'POST /ledger/prune', 'POST /ledger/confirm-restore']);

beforeAll(async () => {
  scenario = await startScenario();
  secrets.push(scenario.made.operatorToken, scenario.made.liveKey, scenario.made.testKey);
  ids['decision'] = (await scenario.chat(scenario.made.testKey)).headers.get('x-panicly-decision-id')!;
});
afterAll(() => scenario.close());

async function auditRows(): Promise<readonly Record<string, unknown>[]> {
  return (await scenario.operate('GET', '/audit?limit=1000')).json['data'] as Record<string, unknown>[];
}

test('there is a line for every write of the live route table', () => {
  const done = new Set(WRITES.map(({ method, path }) => `${method} ${shapeOf(path())}`));
  const live = scenario.app.routes
    .filter(({ path, method }) => path.startsWith('/admin/v1') && method !== 'GET')
    .map(({ method, path }) => `${method} ${shapeOf(path.slice('/admin/v1'.length))}`);
  expect(live.filter((route) => !done.has(route) && !LOOKS.has(route) && !ELSEWHERE.has(route))).toEqual([]);
});

test.each(WRITES.map((write) => [write.action, write] as const))('%s leaves one audit event', async (action, write) => {
  const before = await auditRows();
  const answer = await scenario.operate(write.method, write.path(), write.body);
  expect([answer.status, answer.text.slice(0, 300)]).toEqual([write.status, expect.any(String)]);
  if (write.keep !== undefined) ids[write.keep] = String(answer.json['id'] ?? answer.json['name']);
  for (const field of ['key', 'token', 'secret']) if (typeof answer.json[field] === 'string') secrets.push(answer.json[field]);
  const after = await auditRows();
  expect(after.length).toBe(before.length + 1);
  expect(after[0]).toMatchObject({ action, actor: expect.stringMatching(/^opr_/), ip: null, subject: expect.any(String) });
});

describe('secrets', () => {
  test('those that were shown once were seen', () => {
    expect(secrets.length).toBe(10);
  });

  test('none is in any answer that looks', async () => {
    const reads = scenario.app.routes.filter(
      ({ method, path }) => method === 'GET' && !path.endsWith('/tail') && !path.startsWith('/docs/'),
    );
    for (const { path } of reads) {
      const address = path
        .replace('*', 'gpt-4.1')
        .replace(':provider', 'openai')
        .replace(':id', path.includes('decisions') ? ids['decision']! : 'default');
      const answer = address.startsWith('/admin/v1')
        ? await scenario.operate('GET', address.slice('/admin/v1'.length))
        : await scenario.send(
            new Request(`http://panicly.test${address}`, {
              headers: { host: 'panicly.test', authorization: `Bearer ${scenario.made.operatorToken}` },
            }),
          );
      for (const secret of secrets) expect(`${address} ${answer.text.includes(secret)}`).toBe(`${address} false`);
    }
  });

  test('none is in a file of the data directory', async () => {
    await scenario.ledger.ledger.drain();
    // From outside: a file of SQLite's that is opened and closed in this process loses its locks.
    for (const secret of secrets) {
      const found = Bun.spawnSync(['grep', '-rlaF', '--', secret, scenario.dataDir]);
      expect([found.exitCode, found.stdout.toString()]).toEqual([1, '']);
    }
    expect(Bun.spawnSync(['grep', '-rlaF', '--', 'the bill says so', scenario.dataDir]).exitCode).toBe(0);
  });

  test('none is in what a refusal says', async () => {
    const path = '/projects/default/providers';
    const answer = await scenario.operate('POST', path, {
      name: 'c',
      kind: 'openai',
      api_key: PROVIDER_CANARY,
      base_url: 'http://169.254.169.254/',
    });
    expect([answer.status, answer.text.includes(PROVIDER_CANARY)]).toEqual([400, false]);
    const both = await scenario.operate('POST', path, { name: 'c', kind: 'openai', api_key: PROVIDER_CANARY, api_key_env: 'X' });
    expect([both.status, both.text.includes(PROVIDER_CANARY)]).toEqual([400, false]);
    const spaced = await scenario.operate('POST', path, { name: 'c', kind: 'openai', api_key: `${PROVIDER_CANARY} x` });
    expect([spaced.status, spaced.text.includes(PROVIDER_CANARY)]).toEqual([400, false]);
  });
});

test('the audit has pages that do not repeat while rows arrive', async () => {
  const first = await scenario.operate('GET', '/audit?limit=3');
  await scenario.operate('PUT', '/projects/default/sentry', { enabled: false });
  const second = await scenario.operate('GET', `/audit?limit=3&cursor=${String(first.json['next_cursor'])}`);
  const idsOf = (answer: typeof first) => (answer.json['data'] as { id: string }[]).map(({ id }) => id);
  expect(new Set([...idsOf(first), ...idsOf(second)]).size).toBe(6);
  expect((await scenario.operate('GET', '/audit?cursor=x')).status).toBe(400);
});

test('the ledger is whole and nothing failed', async () => {
  expect(await scenario.problems()).toEqual([]);
  expect(scenario.failures).toEqual([]);
});

/** A path with every id and parameter left out. */
function shapeOf(path: string): string {
  const parts = path.split('?')[0]!.split('/').slice(1);
  if (parts[0] === 'prices' && parts.length > 1) return '/prices/one';
  return `/${parts.map((part, index) => (index === 1 && parts[0] !== 'ledger' ? ':id' : part)).join('/')}`;
}
