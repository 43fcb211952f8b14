import SwaggerParser from '@apidevtools/swagger-parser';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { startScenario, type Scenario } from '../support/scenario.ts';

/** What a route of the operator API is: `read` for everybody who has a token, `write` for owners; a body that it would take. */
interface Row {
  readonly access: 'read' | 'write';
  /** A body of the right form, for routes that take one. */
  readonly body?: Readonly<Record<string, unknown>>;
}

const read: Row = { access: 'read' };
const write: Row = { access: 'write' };
const taking = (body: Readonly<Record<string, unknown>>): Row => ({ access: 'write', body });

/** One row for each route. A route of the live table without a row here turns the first test red. */
const ROWS: Readonly<Record<string, Row>> = {
  'GET /workspaces': read,
  'POST /workspaces': taking({ name: 'w' }),
  'GET /workspaces/:id': read,
  'PATCH /workspaces/:id': taking({ name: 'w' }),
  'GET /workspaces/:id/credits': read,
  'POST /workspaces/:id/credits': taking({ requests: 1, note: 'n' }),
  'PUT /workspaces/:id/sentry': taking({ enabled: true }),
  'GET /workspaces/:id/policy': read,
  'PUT /workspaces/:id/policy': taking({ budgets: [] }),
  'GET /workspaces/:id/policy/versions': read,
  'GET /projects': read,
  'POST /projects': taking({ name: 'p' }),
  'GET /projects/:id': read,
  'PATCH /projects/:id': taking({ name: 'p' }),
  'DELETE /projects/:id': write,
  'PUT /projects/:id/sentry': taking({ enabled: true }),
  'GET /projects/:id/policy': read,
  'PUT /projects/:id/policy': taking({ budgets: [] }),
  'GET /projects/:id/policy/versions': read,
  'POST /projects/:id/policy/replay': { access: 'read', body: {} },
  'GET /projects/:id/keys': read,
  'POST /projects/:id/keys': taking({ name: 'k' }),
  'POST /keys/:id/rotate': taking({ overlap_seconds: 60 }),
  'POST /keys/:id/revoke': write,
  'GET /projects/:id/providers': read,
  'POST /projects/:id/providers': taking({ name: 'c', kind: 'openai' }),
  'PATCH /providers/:id': taking({ name: 'c' }),
  'DELETE /providers/:id': write,
  'GET /decisions': read,
  'GET /decisions/tail': read,
  'GET /decisions/:id': read,
  'POST /decisions/:id/corrections': taking({ cost_usd: '1', note: 'n' }),
  'GET /usage': read,
  'GET /audit': read,
  'GET /status': read,
  'GET /prices': read,
  'GET /prices/:provider/*': read,
  'PUT /prices/:provider/*': taking({ input_usd: '1', output_usd: '1' }),
  'DELETE /prices/:provider/*': write,
  'GET /operators': read,
  'POST /operators': taking({ name: 'o', role: 'viewer' }),
  'DELETE /operators/:id': write,
  'GET /ledger/verify': read,
  'POST /ledger/confirm-clock': write,
};

const PREFIX = '/admin/v1';
let scenario: Scenario;
let viewer = '';

beforeAll(async () => {
  scenario = await startScenario();
  viewer = String((await scenario.operate('POST', '/operators', { name: 'looker', role: 'viewer' })).json['token']);
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
  const document = await scenario.send(new Request('http://panicly.test/openapi.json', { headers: { host: 'panicly.test' } }));
  const paths = document.json['paths'] as Record<string, Record<string, { security?: unknown; tags?: unknown }>>;
  const operations = Object.entries(paths)
    .filter(([path]) => path.startsWith(PREFIX))
    .flatMap(([, methods]) => Object.values(methods));
  expect(operations).toHaveLength(Object.keys(ROWS).length);
  await SwaggerParser.validate(structuredClone(document.json) as never);
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
});

test('what was tried above changed nothing and failed nowhere', async () => {
  expect(scenario.failures).toEqual([]);
  const { json } = await scenario.operate('GET', '/audit');
  expect((json['data'] as { action: string }[]).map(({ action }) => action)).toEqual(['operator.create']);
  expect(await scenario.problems()).toEqual([]);
});

/** Wrong tokens are counted by address; without a network they all have one, and the count must not end this table early. */
function aMinuteLater(): Record<string, string> {
  scenario.clock.pass(60_000);
  return {};
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
