import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { startScenario, type Scenario } from '../support/scenario.ts';
import { inhabit } from '../support/two-workspaces.ts';

/** Raw requests, as no HTTP client would send them: nothing in the first lines may open a door that a token did not. */
const PREFIX = '/admin/v1';
let scenario: Scenario;
let port = 0;

beforeAll(async () => {
  scenario = await startScenario();
  scenario.app.listen({ hostname: '127.0.0.1', port: 0 });
  port = scenario.app.server!.port!;
});
afterAll(async () => {
  await scenario.app.server?.stop(true);
  await scenario.close();
});

/** Sends bytes, and resolves to the status of the first answer; 0 when the connection was closed without one. */
function statusOf(head: string): Promise<number> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${head}\r\n\r\n`));
    let text = '';
    const end = () => {
      socket.destroy();
      resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0));
    };
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      if (text.includes('\r\n')) end();
    });
    socket.on('close', end);
    socket.on('error', end);
  });
}

const HOSTS: readonly (readonly [string, readonly string[]])[] = [
  ['no host', []],
  ['an empty host', ['Host:']],
  ['one letter', ['Host: a']],
  ['two letters', ['Host: ab']],
  ['three letters', ['Host: abc']],
  ['two equal hosts', ['Host: localhost', 'Host: localhost']],
  ['two different hosts', ['Host: localhost', 'Host: evil.example']],
  ['a path in the host', ['Host: a/healthz?']],
  ['a question in the host', ['Host: x?y']],
  ['a fragment in the host', ['Host: evil#']],
  ['a user in the host', ['Host: user@localhost']],
  ['a usual host', ['Host: localhost']],
];

const PATHS: readonly (readonly [string, (path: string) => string])[] = [
  ['as it is', (path) => path],
  ['absolute form', (path) => `http://localhost${path}`],
  ['absolute form with a short host', (path) => `http://a${path}`],
  ['two slashes', (path) => `/${path}`],
  ['a slash at the end', (path) => `${path}/`],
  ['an encoded letter', (path) => path.replace('/admin', '/%61dmin')],
  ['an encoded slash', (path) => path.replace('/admin/', '/admin%2F')],
  ['capitals', (path) => path.replace('/admin', '/ADMIN')],
  ['through another route', (path) => `/healthz/..${path}`],
  ['dots', (path) => path.replace('/v1', '/v1/./x/..')],
  ['a fragment', (path) => `/healthz#${path}`],
];

function addresses(): { method: string; path: string }[] {
  return scenario.app.routes
    .filter(({ path }) => path.startsWith(PREFIX))
    .map(({ method, path }) => ({ method, path: path.replace(':provider', 'openai').replace('*', 'gpt-4.1').replace(':id', 'default') }));
}

async function inTurns<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  for (let from = 0; from < items.length; from += 32) await Promise.all(items.slice(from, from + 32).map(work));
}

describe('without a token no way of writing host and address opens a route', () => {
  test.each(HOSTS)('%s', async (_, hosts) => {
    const opened: string[] = [];
    const vectors = addresses().flatMap(({ method, path }) => PATHS.map(([name, write]) => ({ method, name, target: write(path) })));
    await inTurns(vectors, async ({ method, name, target }) => {
      const status = await statusOf([`${method} ${target} HTTP/1.1`, ...hosts, 'Content-Length: 0', 'Connection: close'].join('\r\n'));
      if (status >= 200 && status < 400 && !isHealth(target)) opened.push(`${method} ${name}: ${status}`);
      if (status >= 500) opened.push(`${method} ${name}: ${status}`);
    });
    expect(opened).toEqual([]);
  });

  test('nothing was written and nothing failed', async () => {
    const { json } = await scenario.operate('GET', '/audit');
    expect(json['data']).toEqual([]);
    expect(scenario.failures).toEqual([]);
  });
});

describe('with a token that is bound to a workspace', () => {
  test('no way of writing host and address opens what is the whole installation’s', async () => {
    const { viewer } = await inhabit(scenario, 'beta');
    const ask = (method: string, target: string, host: string) =>
      statusOf(
        [`${method} ${target} HTTP/1.1`, host, `Authorization: Bearer ${viewer}`, 'Content-Length: 0', 'Connection: close'].join('\r\n'),
      );
    const refused: { method: string; path: string }[] = [];
    await inTurns(addresses(), async ({ method, path }) => {
      if ((await ask(method, path, 'Host: localhost')) === 403) refused.push({ method, path });
    });
    expect(refused.length).toBeGreaterThan(10);
    const opened: string[] = [];
    const hosts = ['Host: a', 'Host: abc', 'Host: a/healthz?', 'Host: localhost'];
    const vectors = refused.flatMap(({ method, path }) =>
      PATHS.flatMap(([name, write]) => hosts.map((host) => ({ method, name, target: write(path), host }))),
    );
    await inTurns(vectors, async ({ method, name, target, host }) => {
      const status = await ask(method, target, host);
      if (((status >= 200 && status < 400) || status >= 500) && !isHealth(target)) opened.push(`${method} ${name} ${host}: ${status}`);
    });
    expect(opened).toEqual([]);
  });
});

describe('with a token', () => {
  const get = (...hosts: string[]) =>
    statusOf(
      [`GET ${PREFIX}/status HTTP/1.1`, ...hosts, `Authorization: Bearer ${scenario.made.operatorToken}`, 'Connection: close'].join('\r\n'),
    );

  test('a usual host is let in, whatever its length', async () => {
    for (const host of ['a', 'ab', 'abc', 'localhost', 'localhost:3000', '127.0.0.1', '[::1]:80'])
      expect(await get(`Host: ${host}`)).toBe(200);
  });

  test.each(HOSTS.filter(([name]) => !/letter|usual|equal/.test(name)))('%s is refused', async (_, hosts) => {
    expect([0, 400]).toContain(await get(...hosts));
  });
});

describe('with a token, a path that is written otherwise than the route', () => {
  const ask = (target: string, line = 'Content-Length: 0', method = 'GET') =>
    statusOf(
      [
        `${method} ${target} HTTP/1.1`,
        'Host: localhost',
        `Authorization: Bearer ${scenario.made.operatorToken}`,
        line,
        'Connection: close',
      ].join('\r\n'),
    );

  // A proxy that lets only /v1 through passes these on as they are.
  test.each([
    `/v1/..\\admin/v1/status`,
    `/v1/..${PREFIX}/status`,
    `/v1/%2e%2e${PREFIX}/status`,
    `/v1/.%2E\\admin\\v1\\status`,
    `/admin\\v1\\status`,
    `http://localhost/v1/..\\admin/v1/status`,
    `/v1/..\\admin/v1/prices/openai/gpt-4.1`,
  ])('%s opens nothing', async (target) => {
    expect(await ask(target)).toBe(404);
  });

  test.each([`${PREFIX}/status`, `${PREFIX}/status/`, `${PREFIX}/status?`, `http://localhost${PREFIX}/status`])(
    '%s is the route',
    async (target) => {
      expect(await ask(target)).toBe(200);
    },
  );

  test('a route whose address ends with any path is reached, and HEAD is', async () => {
    expect(await ask(`${PREFIX}/prices/openai/gpt-4.1`)).toBe(200);
    expect(await ask(`${PREFIX}/status`, 'X-A: b', 'HEAD')).toBe(200);
  });

  test.each([',chunked', 'chunked,', 'chunked, chunked', 'identity'])('the transfer encoding %p is refused', async (encoding) => {
    expect(await ask(`${PREFIX}/status`, `Transfer-Encoding: ${encoding}`)).toBe(400);
  });

  test('chunked, in any case, is not', async () => {
    expect(await ask(`${PREFIX}/status`, 'Connection: close\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n')).toBe(200);
  });
});

/** A server may read all behind `#` as no part of the address. */
function isHealth(target: string): boolean {
  return target.startsWith('/healthz#');
}
