import SwaggerParser from '@apidevtools/swagger-parser';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { startScenario, type Answer, type Scenario } from '../support/scenario.ts';
import { inhabit, type Inhabited } from '../support/two-workspaces.ts';

/** What a route of the operator API is: `read` for everybody who has a token, `write` for owners; a body that it would take. */
interface Row {
  readonly access: 'read' | 'write';
  /** A body of the right form, for routes that take one. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** Whether operators who are bound to a workspace may use it, for what is in theirs; without it they are refused. */
  readonly reach?: 'workspace';
}

const read: Row = { access: 'read' };
const write: Row = { access: 'write' };
const taking = (body: Readonly<Record<string, unknown>>): Row => ({ access: 'write', body });
const inWorkspace = (row: Row): Row => ({ ...row, reach: 'workspace' });

/** One row for each route. A route of the live table without a row here turns the first test red. */
const ROWS: Readonly<Record<string, Row>> = {
  'GET /workspaces': inWorkspace(read),
  'POST /workspaces': taking({ name: 'w' }),
  'GET /workspaces/:id': inWorkspace(read),
  'PATCH /workspaces/:id': taking({ name: 'w' }),
  'GET /workspaces/:id/credits': inWorkspace(read),
  'POST /workspaces/:id/credits': taking({ requests: 1, note: 'n' }),
  'PUT /workspaces/:id/sentry': inWorkspace(taking({ enabled: true })),
  'GET /workspaces/:id/policy': inWorkspace(read),
  'PUT /workspaces/:id/policy': inWorkspace(taking({ budgets: [] })),
  'GET /workspaces/:id/policy/versions': inWorkspace(read),
  'GET /configuration': read,
  'PUT /configuration': taking({ projects: [{ name: 'p' }] }),
  'GET /projects': inWorkspace(read),
  'POST /projects': inWorkspace(taking({ name: 'p' })),
  'GET /projects/:id': inWorkspace(read),
  'PATCH /projects/:id': inWorkspace(taking({ name: 'p' })),
  'DELETE /projects/:id': inWorkspace(write),
  'PUT /projects/:id/sentry': inWorkspace(taking({ enabled: true })),
  'GET /projects/:id/policy': inWorkspace(read),
  'PUT /projects/:id/policy': inWorkspace(taking({ budgets: [] })),
  'GET /projects/:id/policy/versions': inWorkspace(read),
  'POST /projects/:id/policy/replay': inWorkspace({ access: 'read', body: {} }),
  'GET /projects/:id/keys': inWorkspace(read),
  'POST /projects/:id/keys': inWorkspace(taking({ name: 'k' })),
  'POST /keys/:id/rotate': inWorkspace(taking({ overlap_seconds: 60 })),
  'POST /keys/:id/revoke': inWorkspace(write),
  'POST /keys/lookup': inWorkspace({ access: 'read', body: { sha256: ['a'.repeat(64)] } }),
  'GET /projects/:id/providers': inWorkspace(read),
  'POST /projects/:id/providers': inWorkspace(taking({ name: 'c', kind: 'openai' })),
  'PATCH /providers/:id': inWorkspace(taking({ name: 'c' })),
  'DELETE /providers/:id': inWorkspace(write),
  'GET /decisions': inWorkspace(read),
  'GET /decisions/tail': inWorkspace(read),
  'GET /decisions/:id': inWorkspace(read),
  'POST /decisions/:id/corrections': inWorkspace(taking({ cost_usd: '1', note: 'n' })),
  'GET /usage': inWorkspace(read),
  'GET /audit': inWorkspace(read),
  'GET /status': inWorkspace(read),
  'GET /prices': read,
  'POST /prices/catalogue': taking({ document: {} }),
  'GET /prices/catalogue/versions': read,
  'POST /prices/catalogue/rollback': taking({}),
  'GET /prices/:provider/*': read,
  'PUT /prices/:provider/*': taking({ input_usd: '1', output_usd: '1' }),
  'DELETE /prices/:provider/*': write,
  'POST /master-key/rotate': write,
  'GET /operators': inWorkspace(read),
  'POST /operators': inWorkspace(taking({ name: 'o', role: 'viewer' })),
  'DELETE /operators/:id': inWorkspace(write),
  'GET /alerts': inWorkspace(read),
  'POST /alerts': inWorkspace(taking({ name: 'a', url: 'https://alerts.example.com/x' })),
  'GET /alerts/deliveries': inWorkspace(read),
  'GET /alerts/:id': inWorkspace(read),
  'POST /alerts/:id/test': inWorkspace(write),
  'DELETE /alerts/:id': inWorkspace(write),
  'GET /doctor': read,
  'GET /ledger/verify': read,
  'GET /ledger/head': read,
  'GET /ledger/prune': read,
  'POST /ledger/prune': taking({ older_than_days: 90 }),
  'POST /ledger/confirm-clock': write,
  'POST /ledger/confirm-restore': write,
  'POST /backup': write,
  'GET /backups': read,
  'GET /backups/:id': write,
  'DELETE /backups/:id': write,
  'GET /export/decisions': inWorkspace(read),
  'GET /export/usage': inWorkspace(read),
  'GET /reports/monthly': inWorkspace(read),
};

const PREFIX = '/admin/v1';
let scenario: Scenario;
let viewer = '';
/** What is in two workspaces: the first is looked for by operators of the second. */
let foreign: Inhabited;
let own: Inhabited;
let auditedBefore = '';

beforeAll(async () => {
  scenario = await startScenario();
  foreign = await inhabit(scenario, 'canary');
  own = await inhabit(scenario, 'beta');
  viewer = String((await scenario.operate('POST', '/operators', { name: 'looker', role: 'viewer' })).json['token']);
  auditedBefore = await newestAudit();
});
afterAll(() => scenario.close());

/** The routes that the program really has. */
function liveRoutes(): string[] {
  return scenario.app.routes
    .filter(({ path }) => path.startsWith(PREFIX))
    .map(({ method, path }) => `${method} ${path.slice(PREFIX.length)}`);
}

/** Method and an address of the row, with ids that exist where that matters not. */
function addressOf(route: string): [method: string, path: string] {
  const [method, path] = route.split(' ') as [string, string];
  return [method, path.replace(':provider', 'openai').replace('*', 'gpt-4.1').replace(':id', 'nobody')];
}

function reasonOf(answer: { readonly json: Readonly<Record<string, unknown>> }): unknown {
  return (answer.json['error'] as { reason?: unknown } | undefined)?.reason;
}

test('every route of the live table has a row, and no row is of a route that is gone', () => {
  expect(liveRoutes().toSorted()).toEqual(Object.keys(ROWS).toSorted());
});

test('every route under the prefix is documented with an operator token', async () => {
  const document = await documented();
  const paths = document['paths'] as Record<string, Record<string, { security?: unknown; tags?: unknown }>>;
  const operations = Object.entries(paths)
    .filter(([path]) => path.startsWith(PREFIX))
    .flatMap(([, methods]) => Object.values(methods));
  expect(operations).toHaveLength(Object.keys(ROWS).length);
  await SwaggerParser.validate(structuredClone(document) as never);
  for (const { security, tags } of operations) expect([security, tags]).toEqual([[{ operatorToken: [] }], ['operator']]);
});

describe.each(Object.entries(ROWS))('%s', (route, row) => {
  const [method, path] = addressOf(route);

  test('without a token is 401, whatever is sent', async () => {
    const answer = await scenario.operate(method, path, row.body, { token: null });
    expect([answer.status, reasonOf(answer)]).toEqual([401, 'missing_key']);
  });

  test.each([['liveKey'], ['testKey']] as const)('with a project key (%s) is 401', async (which) => {
    const answer = await scenario.operate(method, path, row.body, { token: scenario.made[which], headers: aMinuteLater() });
    expect([answer.status, answer.text.includes(scenario.made[which])]).toEqual([401, false]);
  });

  test('a project key in its own header opens nothing', async () => {
    const headers = { 'x-panicly-key': scenario.made.liveKey };
    const answer = await scenario.operate(method, path, row.body, { token: null, headers });
    expect(answer.status).toBe(401);
  });

  test('an unknown parameter is 400 with its name', async () => {
    const answer = await scenario.operate(method, `${path}?surprise=1`, row.body);
    expect([answer.status, answer.json['error']]).toEqual([400, expect.objectContaining({ reason: 'unknown_field', param: 'surprise' })]);
  });

  if (row.access === 'write') {
    test('a viewer is refused', async () => {
      const answer = await scenario.operate(method, path, row.body, { token: viewer });
      expect([answer.status, reasonOf(answer)]).toEqual([403, 'forbidden']);
    });
  } else {
    test('a viewer may look', async () => {
      if (route === 'GET /decisions/tail') return expect(await tailHead()).toBe(': watching\n\n');
      const answer = await scenario.operate(method, path, row.body, { token: viewer });
      expect([200, 404]).toContain(answer.status);
    });
  }

  if (row.access === 'write' || row.body !== undefined) {
    test('an unknown field is 400 with its name', async () => {
      const target = /\/(?:workspaces|projects)\//.test(path) ? path.replace('nobody', 'default') : path;
      const answer = await scenario.operate(method, target, { ...row.body, surprise: 1 });
      expect([answer.status, answer.json['error']]).toEqual([400, expect.objectContaining({ reason: 'unknown_field', param: 'surprise' })]);
    });
  }

  if (route.includes(':id')) {
    test('an id that nothing has is 404', async () => {
      const answer = await scenario.operate(method, path, row.body);
      expect([answer.status, reasonOf(answer)]).toEqual([404, 'unknown_resource']);
    });
  }

  if (row.reach !== 'workspace') {
    test.each(['owner', 'viewer'] as const)('an %s who is bound to a workspace is refused, whatever is asked', async (who) => {
      const answers = await Promise.all(
        [row.body, { surprise: 1 }].map((body) => scenario.operate(method, path, body, { token: own[who] })),
      );
      for (const answer of answers) expect([answer.status, reasonOf(answer)]).toEqual([403, 'forbidden']);
    });
  } else if (route.includes(':id')) {
    test('what is in another workspace answers as what does not exist', async () => {
      const token = own.owner;
      for (const id of foreignIdsOf(path)) {
        const address = path.replace('nobody', encodeURIComponent(id));
        const [there, nowhere] = await Promise.all([
          scenario.operate(method, address, row.body, { token }),
          scenario.operate(method, path.replace('nobody', unlike(id)), row.body, { token }),
        ]);
        expect([there.status, reasonOf(there)]).toEqual([404, 'unknown_resource']);
        expect(there.text.replaceAll(id, unlike(id))).toBe(nowhere.text);
      }
    });
  } else if (method === 'GET') {
    test('an operator of another workspace sees nothing of it, and something of the own', async () => {
      const answer = await lookThrough(path, own.viewer);
      for (const mark of foreign.marks) expect([mark, answer.includes(mark)]).toEqual([mark, false]);
      expect(own.marks.some((mark) => answer.includes(mark))).toBe(true);
    });
  }
});

describe('filters that name what is in another workspace answer as for what does not exist', () => {
  const NAMES = { project: () => foreign.project, key: () => foreign.key, workspace: () => foreign.workspace } as const;

  test('on every route that has such a filter', async () => {
    const { paths } = (await documented()) as { paths: Record<string, Record<string, { parameters?: { in: string; name: string }[] }>> };
    const filters = Object.entries(paths).flatMap(([path, methods]) =>
      (methods['get']?.parameters ?? []).filter((found) => found.in === 'query').map(({ name }) => ({ path, name })),
    );
    const tried = filters.filter(({ path, name }) => Object.hasOwn(NAMES, name) && ROWS[rowOf(path)]?.reach === 'workspace');
    expect(tried.length).toBeGreaterThanOrEqual(7);
    for (const { path, name } of tried) {
      const id = NAMES[name as keyof typeof NAMES]();
      const ask = (value: string) =>
        scenario.operate('GET', `${path.slice(PREFIX.length)}?${name}=${value}`, undefined, { token: own.owner });
      const [there, nowhere] = await Promise.all([ask(id), ask(unlike(id))]);
      expect([path, name, there.status, there.text.replaceAll(id, unlike(id))]).toEqual([path, name, 404, nowhere.text]);
    }
  });

  test.each(['/projects', '/operators'])('and in a body: POST %s', async (path) => {
    const ask = (workspace_id: string) =>
      scenario.operate('POST', path, { ...ROWS[`POST ${path}`]!.body, workspace_id }, { token: own.owner });
    const [there, nowhere] = await Promise.all([ask(foreign.workspace), ask(unlike(foreign.workspace))]);
    expect([there.status, there.text.replaceAll(foreign.workspace, unlike(foreign.workspace))]).toEqual([404, nowhere.text]);
  });
});

test('what was tried above changed nothing and failed nowhere', async () => {
  expect(scenario.failures).toEqual([]);
  expect(await newestAudit()).toBe(auditedBefore);
  expect(await scenario.problems()).toEqual([]);
});

/** Wrong tokens are counted by address; without a network they all have one, and the count must not end this table early. */
function aMinuteLater(): Record<string, string> {
  scenario.clock.pass(60_000);
  return {};
}

async function documented(): Promise<Answer['json']> {
  return (await scenario.send(new Request('http://panicly.test/openapi.json', { headers: { host: 'panicly.test' } }))).json;
}

/** The row of a documented path, for its GET. */
function rowOf(path: string): string {
  return `GET ${path.slice(PREFIX.length).replaceAll(/\{(\w+)\}/g, ':$1')}`;
}

/** Every id and name of the other workspace that could stand in this address. A noun that is not here turns the test of its route red. */
function foreignIdsOf(path: string): readonly string[] {
  const ids: Readonly<Record<string, readonly string[]>> = {
    workspaces: [foreign.workspace, 'canary'],
    projects: [foreign.project, 'canary'],
    keys: [foreign.key],
    providers: [foreign.provider],
    decisions: [foreign.decision],
    operators: [foreign.operator],
    alerts: [foreign.alert],
  };
  const found = ids[path.split('/')[1]!];
  if (found === undefined) throw new Error(`say how things of the other workspace are called on ${path}`);
  return found;
}

/** An id or a name of the same length that nothing has. */
function unlike(id: string): string {
  return `${id.slice(0, -1)}${id.endsWith('z') ? 'y' : 'z'}`;
}

/** What a list shows; of the tail what comes after requests in both workspaces. */
async function lookThrough(path: string, token: string): Promise<string> {
  const address = path.endsWith('/usage') ? `${path}?group_by=project,key` : path;
  if (!path.endsWith('/tail')) return (await scenario.operate('GET', address, undefined, { token })).text;
  const headers = { host: 'panicly.test', authorization: `Bearer ${token}` };
  const response = await scenario.app.handle(new Request(`http://panicly.test${PREFIX}${path}`, { headers }));
  const reader = response.body!.getReader();
  await reader.read();
  for (const { secret } of [foreign, own]) await scenario.chat(secret);
  const { value } = await reader.read();
  await reader.cancel();
  return new TextDecoder().decode(value);
}

async function newestAudit(): Promise<string> {
  const { json } = await scenario.operate('GET', '/audit?limit=1');
  return (json['data'] as { id: string }[])[0]!.id;
}

/** The first bytes of a tail. */
async function tailHead(): Promise<string> {
  const headers = { host: 'panicly.test', authorization: `Bearer ${viewer}` };
  const response = await scenario.app.handle(new Request(`http://panicly.test${PREFIX}/decisions/tail`, { headers }));
  const reader = response.body!.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return new TextDecoder().decode(value);
}
