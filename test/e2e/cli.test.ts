import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { runPanicly, startPanicly, type Finished, type Panicly } from '../support/binary.ts';
import { startMockProvider, type MockProvider } from '../support/mock-provider.ts';

/** The command line against a running server; what the README says to type is in readme.test.ts. */

let server: Panicly;
let mock: MockProvider;

beforeAll(async () => {
  [server, mock] = await Promise.all([startPanicly(), startMockProvider()]);
});
afterAll(async () => {
  await Promise.all([server.kill(), mock.close()]);
});

async function panicly(...args: readonly string[]): Promise<Finished> {
  return await runPanicly(args, { env: { PANICLY_URL: server.url, PANICLY_DATA: server.dataDir } });
}

/** The JSON that a command prints. */
async function printed<Answer>(...args: readonly string[]): Promise<Answer> {
  const { code, stdout, stderr } = await panicly(...args, '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Answer;
}

interface Named {
  readonly id: string;
  readonly name: string;
}

describe('commands', () => {
  test('from a new project to a served request', async () => {
    const project = await printed<Named>('projects', 'create', 'shop');
    expect((await printed<Named[]>('projects', 'list')).map(({ name }) => name)).toEqual(['default', 'shop']);
    await printed(
      'providers',
      'add',
      '--project',
      'shop',
      '--kind',
      'openai',
      '--name',
      'main',
      '--base-url',
      mock.baseUrl,
      '--api-key',
      'sk-from-cli',
    );
    const providers = await printed<Named[]>('providers', 'list', '--project', project.id);
    expect(providers).toMatchObject([{ name: 'main', kind: 'openai', base_url: mock.baseUrl, credential: 'stored' }]);
    expect(JSON.stringify(providers)).not.toContain('sk-from-cli');
    const key = await printed<Named & { key: string }>('keys', 'create', '--project', 'shop', '--name', 'backend');
    const body = { model: 'gpt-4.1-mini', messages: [{ role: 'user', content: 'Hi' }] };
    const response = await server.post('/v1/chat/completions', key.key, body);
    expect(response.status).toBe(200);
    expect(mock.seen.at(-1)!.headers['authorization']).toBe('Bearer sk-from-cli');
    const id = response.headers.get('x-panicly-decision-id')!;
    await server.settled(id);
    const page = await printed<{ data: object[]; next_cursor: null }>('requests', 'list', '--project', 'shop');
    expect(page).toMatchObject({
      data: [{ id, decision: 'allow', model: 'gpt-4.1-mini', key_id: key.id, settlement: { outcome: 'completed' } }],
    });
    expect(await printed<object>('requests', 'show', id)).toMatchObject({ id, project_id: project.id });
    expect((await panicly('requests', 'list', '--project', 'shop')).stdout).toContain(id);
    const keys = await printed<(Named & { revoked_at: string | null })[]>('keys', 'list', '--project', 'shop');
    expect(keys).toMatchObject([{ id: key.id, revoked_at: null }]);
    expect(JSON.stringify(keys)).not.toContain(key.key);
    expect(await printed<object>('keys', 'revoke', key.id, '--yes')).toMatchObject({ id: key.id, revoked_at: expect.any(String) });
    expect((await server.post('/v1/chat/completions', key.key, body)).status).toBe(401);
    expect(await printed<object>('providers', 'remove', providers[0]!.id, '--yes')).toEqual({ id: providers[0]!.id, removed: true });
    expect(await printed<Named[]>('providers', 'list', '--project', 'shop')).toEqual([]);
  });

  test('a provider key comes over the standard input', async () => {
    const env = { PANICLY_URL: server.url, PANICLY_TOKEN: server.operatorToken };
    const args = ['providers', 'add', '--project', 'default', '--kind', 'groq', '--api-key', '-'];
    expect((await runPanicly(args, { env, stdin: 'gsk-from-stdin\n' })).code).toBe(0);
    expect((await runPanicly(args, { env, stdin: '' })).code).toBe(2);
  });

  test.each([
    [['keys', 'create', '--project', 'nowhere'], 2, 'nowhere'],
    [['keys', 'revoke', 'key_none', '--yes'], 1, 'key_none'],
    [['requests', 'show', 'dec_none'], 1, 'dec_none'],
    [['requests', 'list', '--limit', '0'], 2, '--limit'],
    [['requests', 'list', '--reason', 'bad_mood'], 1, 'bad_mood'],
    [['projects', 'create', 'default'], 1, 'name is taken'],
    [['providers', 'add', '--project', 'default', '--kind', 'custom', '--base-url', 'http://203.0.113.1/v1'], 1, 'https'],
  ] as const)('%j says no in one line', async (args, code, word) => {
    const finished = await panicly(...args);
    expect([finished.code, finished.stdout]).toEqual([code, '']);
    expect(finished.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(finished.stderr).toStartWith('panicly: ');
    expect(finished.stderr).toContain(word);
  });

  test('no server, and a wrong token', async () => {
    const away = await runPanicly(['projects', 'list'], {
      env: { PANICLY_URL: 'http://127.0.0.1:1', PANICLY_TOKEN: server.operatorToken },
    });
    expect(away.code).toBe(2);
    expect(away.stderr).toContain('panicly serve');
    const wrong = await runPanicly(['projects', 'list'], { env: { PANICLY_URL: server.url, PANICLY_TOKEN: 'po_live_wrong' } });
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('PANICLY_TOKEN');
    expect(wrong.stderr).not.toContain('po_live_wrong');
    const none = await runPanicly(['projects', 'list'], { env: { PANICLY_URL: server.url } });
    expect(none.stderr).toContain('no operator token');
  });
});
