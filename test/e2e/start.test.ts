import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import packageJson from '../../package.json';
import { isWellFormed } from '../../src/domain/key.ts';
import { run, runPanicly, startPanicly, temporaryDirectory, unusableDirectory, type Finished, type Panicly } from '../support/binary.ts';

/** A person sees one line on the standard error that says what is wrong, and nothing else. */
function expectOneLine(finished: Finished, ...words: readonly string[]): void {
  expect(finished.stdout).toBe('');
  expect(finished.stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(finished.stderr).toStartWith('panicly: ');
  for (const word of words) expect(finished.stderr).toContain(word);
  expect(finished.stderr).not.toMatch(/\bat .*[:(]\d+|node_modules|bunfs|Error:/);
  expect(finished.code).toBe(2);
}

describe('a first start', () => {
  let server: Panicly;
  let greeting: string;
  beforeAll(async () => {
    server = await startPanicly();
    greeting = server.stdout();
  });
  afterAll(() => server.kill());

  test('prints keys of the documented form and names the documents', () => {
    expect(server.liveKey).toMatch(/^pk_live_[0-9A-Za-z]{36}$/);
    expect(server.testKey).toMatch(/^pk_test_[0-9A-Za-z]{36}$/);
    expect([server.liveKey, server.testKey, server.operatorToken].every(isWellFormed)).toBe(true);
    expect(greeting).toContain(server.operatorToken);
    expect(greeting).toContain(`${server.url}/docs`);
    expect(server.stderr()).toBe('');
  });

  test('the printed curl line works as pasted', async () => {
    const line = greeting.split('\n').find((one) => one.startsWith('curl '))!;
    const { code, stdout } = await run(['sh', '-c', `${line} --silent`]);
    expect(code).toBe(0);
    const answer = JSON.parse(stdout) as { object: string; choices: { message: { content: string } }[] };
    expect(answer.object).toBe('chat.completion');
    expect(answer.choices[0]!.message.content).toContain('Say hello.');
  });

  test('and streamed', async () => {
    const line = greeting.split('\n').find((one) => one.startsWith('curl '))!;
    const { stdout } = await run(['sh', '-c', `${line.replace('{"model"', '{"stream": true, "model"')} --silent --no-buffer`]);
    const events = stdout.trim().split('\n\n');
    expect(events.length).toBeGreaterThan(3);
    expect(events.at(-1)).toBe('data: [DONE]');
    const chunks = events.slice(0, -1).map((event) => JSON.parse(event.slice(6)) as { object: string });
    expect(new Set(chunks.map(({ object }) => object))).toEqual(new Set(['chat.completion.chunk']));
  });

  test('its files are for their owner only', () => {
    expect(statSync(server.dataDir).mode & 0o777).toBe(0o700);
    const files = readdirSync(server.dataDir);
    expect(files).toEqual(expect.arrayContaining(['master.key', 'operator.token', 'panicly.db', 'panicly.lock']));
    const open = files.filter((file) => (statSync(join(server.dataDir, file)).mode & 0o777) !== 0o600);
    expect(open).toEqual([]);
  });

  test('a second process on the same data is refused', async () => {
    for (const args of [['serve', '--port', '0'], ['init']])
      expectOneLine(await runPanicly([...args, '--data', server.dataDir]), server.dataDir, 'another panicly process');
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });

  test('a used port is refused, and the data directory of the refused one is whole', async () => {
    const data = join(temporaryDirectory(), 'data');
    const { port } = new URL(server.url);
    expectOneLine(await runPanicly(['serve', '--port', port, '--data', data]), port, 'in use', '--port');
    const second = await startPanicly({ dataDir: data });
    expect((await fetch(`${second.url}/readyz`)).status).toBe(200);
    await second.kill();
  });

  test('a second start prints no secret, and the keys still work', async () => {
    const { liveKey, testKey, operatorToken } = server;
    await server.restart();
    expect(server.stdout()).toStartWith(`Panicly listens on ${server.url}`);
    for (const secret of [liveKey, testKey, operatorToken, 'pk_', 'po_']) expect(server.stdout()).not.toContain(secret);
    expect((await server.post('/v1/embeddings', testKey, { model: 'm', input: 'x' })).status).toBe(200);
    expect((await server.operator('/projects')).status).toBe(200);
  });
});

describe('what is around a start', () => {
  test('init makes everything without serving, once', async () => {
    const data = join(temporaryDirectory(), 'data');
    const made = await runPanicly(['init', '--json', '--data', data]);
    expect(made.code).toBe(0);
    const parts = JSON.parse(made.stdout) as Record<string, string>;
    expect(Object.keys(parts)).toEqual(['workspace_id', 'project_id', 'live_key', 'test_key', 'operator_token']);
    const again = await runPanicly(['init', '--json', '--data', data]);
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toContain('panicly keys create');
    const server = await startPanicly({ dataDir: data });
    expect(server.stdout()).not.toMatch(/p[ko]_(?:live|test)_/);
    expect(server.operatorToken).toBe(parts['operator_token']!);
    expect((await server.ask<{ data: unknown[] }>('/projects')).data).toMatchObject([{ id: parts['project_id'] }]);
    expect((await server.post('/v1/embeddings', parts['test_key']!, { model: 'm', input: 'x' })).status).toBe(200);
    expect((await server.post('/v1/embeddings', parts['live_key']!, { model: 'm', input: 'x' })).status).toBe(404);
    await server.kill();
  });

  test('provider keys in the environment become connections, and the start says so', async () => {
    const env = { OPENAI_API_KEY: 'sk-canary-from-environment', OPENROUTER_API_KEY: '', ANTHROPIC_API_KEY: 'sk-ant-canary' };
    const server = await startPanicly({ env });
    expect(server.stdout()).toContain('OPENAI_API_KEY, ANTHROPIC_API_KEY');
    expect(server.stdout()).not.toContain('canary');
    const connections = (await server.ask<{ data: object[] }>(`/projects/${await server.projectId()}/providers`)).data;
    expect(connections).toMatchObject([
      { kind: 'openai', base_url: 'https://api.openai.com/v1', credential: 'environment', api_key_env: 'OPENAI_API_KEY' },
      { kind: 'anthropic', credential: 'environment', api_key_env: 'ANTHROPIC_API_KEY' },
    ]);
    await server.kill();
  });

  test('the environment sets data, host, port, configuration and operator token', async () => {
    const directory = temporaryDirectory();
    const first = await runPanicly(['init', '--json', '--data', join(directory, 'other')]);
    const token = (JSON.parse(first.stdout) as { operator_token: string }).operator_token;
    const env = { PANICLY_DATA: join(directory, 'data'), PANICLY_OPERATOR_TOKEN: token };
    expect(JSON.parse((await runPanicly(['init', '--json'], { env })).stdout)).toMatchObject({ operator_token: token });
    expectOneLine(await runPanicly(['serve'], { env: { ...env, PANICLY_PORT: 'x' } }), 'port', '"x"');
    expectOneLine(await runPanicly(['serve'], { env: { ...env, PANICLY_CONFIG: join(directory, 'none.toml') } }), 'none.toml');
    expectOneLine(await runPanicly(['serve'], { env: { ...env, PANICLY_PORT: '0', PANICLY_HOST: '203.0.113.9' } }), '203.0.113.9');
  });

  test('--version and --help', async () => {
    expect(await runPanicly(['--version'])).toEqual({ code: 0, stdout: `${packageJson.version}\n`, stderr: '' });
    for (const args of [['--help'], [], ['serve', '--help'], ['keys', 'create', '--help']]) {
      const { code, stdout, stderr } = await runPanicly(args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toContain('Usage: panicly');
      expect(stdout).toContain('Examples:');
    }
  });

  test.each([
    [['serve', '--colour'], '--colour'],
    [['serve', '--port', '70000'], '70000'],
    [['serve', '--port', '-1'], '-1'],
    [['serve', '--port'], '--port'],
    [['dance'], 'dance'],
    [['serve', 'extra'], 'serve'],
    [['providers', 'add', '--kind', 'unheard-of'], 'unheard-of'],
  ] as const)('%j is one line and exit code 2', async (args, word) => {
    expectOneLine(await runPanicly(args), word);
  });

  test.each([
    ['[server]\nprot = 1\n', 'server.prot'],
    ['colour = "red"\n', 'colour'],
    ['[limits]\nbody_bytes = 0\n', 'limits.body_bytes'],
    ['[server]\nport = "x"\n', 'server.port'],
    ['[server]\ntrusted_proxies = ["nonsense"]\n', 'nonsense'],
    ['[server\n', 'panicly.toml'],
  ])('the configuration %j is one line and exit code 2', async (text, word) => {
    const file = join(temporaryDirectory(), 'panicly.toml');
    writeFileSync(file, text);
    expectOneLine(await runPanicly(['serve', '--port', '0', '--data', join(temporaryDirectory(), 'data'), '--config', file]), word);
  });

  test.each(['serve', 'init'])('%s: a directory that cannot be used is one line and exit code 2', async (command) => {
    const data = unusableDirectory();
    expectOneLine(await runPanicly([command, '--data', data]), 'data directory', '--data');
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, 'not a directory');
    expectOneLine(await runPanicly([command, '--data', file]), 'data directory', '--data');
    const dangling = join(temporaryDirectory(), 'link');
    symlinkSync(join(dangling, '..', 'gone'), dangling);
    expectOneLine(await runPanicly([command, '--data', join(dangling, 'data')]), 'data directory', '--data');
    const odd = temporaryDirectory();
    writeFileSync(join(odd, 'panicly.db'), 'this is no database, but it is long enough to be looked at by one '.repeat(20));
    expectOneLine(await runPanicly([command, '--data', odd]), 'data directory');
  });

  test('a master key that is no key, and a token that is no token, are refused', async () => {
    const data = join(temporaryDirectory(), 'data');
    expectOneLine(
      await runPanicly(['serve', '--port', '0', '--data', data], { env: { PANICLY_MASTER_KEY: 'short-canary' } }),
      'PANICLY_MASTER_KEY',
    );
    const token = await runPanicly(['init', '--data', join(data, 'b')], { env: { PANICLY_OPERATOR_TOKEN: 'guess-me-canary' } });
    expectOneLine(token, 'PANICLY_OPERATOR_TOKEN');
    expect(token.stderr).not.toContain('canary');
  });

  test('.env and bunfig.toml of the working directory are not loaded', async () => {
    const cwd = temporaryDirectory();
    const ran = join(cwd, 'preload-ran');
    writeFileSync(
      join(cwd, '.env'),
      `PANICLY_DATA=${join(cwd, 'from-env-file')}\nPANICLY_PORT=not-a-port\nOPENAI_API_KEY=sk-from-env-file\n`,
    );
    writeFileSync(join(cwd, 'bunfig.toml'), 'preload = ["./preload.ts"]\n');
    writeFileSync(join(cwd, 'preload.ts'), `require('node:fs').writeFileSync(${JSON.stringify(ran)}, 'yes');\n`);
    mkdirSync(join(cwd, 'empty'));
    const server = await startPanicly({ cwd });
    expect(server.stdout()).toContain('No provider is connected yet');
    await server.kill();
    expect((await runPanicly(['init', '--json'], { cwd })).code).toBe(0);
    expect(readdirSync(cwd).toSorted()).toEqual(['.env', 'bunfig.toml', 'empty', 'panicly-data', 'preload.ts']);
  });
});
