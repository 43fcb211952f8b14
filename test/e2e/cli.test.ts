import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import models from '../../db/models.json';
import { BINARY, run, runPanicly, startPanicly, temporaryDirectory, type Finished, type Panicly } from '../support/binary.ts';
import { startMockProvider, type MockProvider } from '../support/mock-provider.ts';

/** The command line against a running server, and everything that the README says to type. */

const ROOT = join(import.meta.dir, '..', '..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

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

/** The lines of the README that call the program, without their comments. */
function readmeCommands(): string[] {
  const blocks = [...README.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block!);
  const lines = blocks.flatMap((block) => block.split('\n')).map((line) => line.replace(/\s+#.*$/, '').trim());
  return [...new Set(lines.filter((line) => /^(?:dist\/)?panicly /.test(line)))];
}

describe('README', () => {
  test('every command in it works as it stands, in its order, on a first start', async () => {
    const fresh = await startPanicly();
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, 'key.txt'), 'sk-or-readme\n');
    writeFileSync(join(cwd, 'models.json'), JSON.stringify({ ...models, as_of: '2026-07-03' }));
    const asked = await fresh.post('/v1/embeddings', fresh.testKey, { model: 'm', input: 'x' });
    const { id: key } = await fresh.makeKey();
    const env = { PANICLY: BINARY, PANICLY_URL: fresh.url, PANICLY_DATA: fresh.dataDir };
    const commands = readmeCommands();
    expect(commands.length).toBeGreaterThan(8);
    for (const command of commands) {
      // The providers of the examples cannot be reached from here.
      const filled = command
        .replace(/^panicly doctor$/, '$& --offline')
        .replace('dec_...', asked.headers.get('x-panicly-decision-id')!)
        .replace('key_...', key);
      const { code, stderr } = await run(['sh', '-c', filled.replace(/^(?:dist\/)?panicly/, '"$PANICLY"')], { cwd, env });
      expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: '' });
    }
    await fresh.kill();
  }, 60_000);

  test('its TypeScript works', async () => {
    const example = /```ts\n([\s\S]*?)```/.exec(README)![1]!;
    const code = example.replace('http://127.0.0.1:3000', server.url).replace('pk_test_...', server.testKey);
    expect(code).toContain(server.url);
    expect(code).toContain(server.testKey);
    const file = join(temporaryDirectory(), 'example.ts');
    writeFileSync(file, code);
    const finished = await run([process.execPath, 'run', file], { env: { NODE_PATH: join(ROOT, 'node_modules') } });
    expect(finished.stderr).toBe('');
    expect(finished.stdout).toContain('Say hello.');
  });

  test('its curl works', async () => {
    const example = /```sh\n(curl [\s\S]*?)```/.exec(README)![1]!;
    const line = example.replace('http://127.0.0.1:3000', server.url).replace('pk_test_...', server.testKey);
    const { stdout } = await run(['sh', '-c', line.replace('curl', 'curl --silent')]);
    expect(JSON.parse(stdout)).toMatchObject({ object: 'chat.completion' });
  });

  test('names each setting that the configuration file takes, with its default', async () => {
    const rows = [...README.matchAll(/^\| .*\| `(server|limits|upstream)\.(\w+)` \| (.*?) \|/gm)].map(
      ([, table, field]) => `${table}.${field}`,
    );
    const source = readFileSync(join(ROOT, 'src', 'config.ts'), 'utf8');
    const tables = [...source.matchAll(/^ {4}(\w+): Type\.Optional\(\n {6}Type\.Object\(\n {8}\{\n([\s\S]*?)\n {8}\}/gm)];
    const fields = tables.flatMap(([, table, body]) => [...body!.matchAll(/^ {10}(\w+):/gm)].map(([, field]) => `${table}.${field}`));
    expect(fields.length).toBeGreaterThan(10);
    expect(rows.toSorted()).toEqual(fields.toSorted());
  });
});
