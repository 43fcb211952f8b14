import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import models from '../../db/models.json';
import { startPanicly, type Panicly } from '../support/binary.ts';
import { projectFile } from '../support/sources.ts';
import { block, COMMANDS, inline, Reader, README, SECTIONS } from '../support/readme.ts';

/** What a newcomer is told to do first, on one server, in the order of the README. */

const CHAT = { model: 'gpt-4.1-mini', messages: [{ role: 'user', content: 'Hi' }] };

let server: Panicly;
let reader: Reader;
/** The decision that a policy of the README made against a request, and one that it made for another. */
let [denied, allowed] = ['', ''];

beforeAll(async () => {
  server = await startPanicly();
  reader = new Reader({ PANICLY_URL: server.url, PANICLY_DATA: server.dataDir });
});
afterAll(() => server.kill());

/** An example with the address and the key of this server. */
const here = (example: string) => example.replace('http://127.0.0.1:3000', server.url).replace('pk_test_...', server.testKey);

async function reasonOf(answer: Response): Promise<string> {
  return ((await answer.json()) as { error: { reason: string } }).error.reason;
}

describe('the README', () => {
  test('has a task here or in readme-operate.test.ts for each section with commands', () => {
    const followed = [
      'Add a real provider',
      'Limits and rules',
      'Commands',
      'Prices',
      // in readme-operate.test.ts
      'Configuration as code',
      'Alerts',
    ];
    expect([...new Set(COMMANDS.map(({ section }) => section))]).toEqual(followed);
  });

  test('links to headings that it has', () => {
    const anchors = SECTIONS.map(
      ({ title }) =>
        `#${title
          .toLowerCase()
          .replace(/[^a-z ]/g, '')
          .replaceAll(' ', '-')}`,
    );
    const links = [...README.matchAll(/\]\((#[^)]*)\)/g)].map(([, link]) => link!);
    expect(links.length).toBeGreaterThan(10);
    expect(links.filter((link) => !anchors.includes(link))).toEqual([]);
  });
});

describe('what the README names', () => {
  const root = join(import.meta.dir, '..', '..');
  const spans = [...README.matchAll(/`([^`\n]+)`/g)].map(([, span]) => span!);

  test('make can make it', () => {
    const targets = [...projectFile('Makefile').matchAll(/^## (\w+): /gm)].map(([, name]) => name!);
    const said = [...new Set([...README.matchAll(/`make (\w+)`|^make (\w+) {2,}#/gm)].map(([, span, line]) => span ?? line!))];
    expect(said.length).toBeGreaterThan(6);
    expect(said.filter((name) => !targets.includes(name))).toEqual([]);
  });

  test('files and directories are there', () => {
    const paths = spans.flatMap((span) => /^(?:bun )?((?:test )?(?:src|test|db|\.ci)\/\S+)/.exec(span)?.[1]?.replace('test ', '') ?? []);
    const rooms = [...block('How the code is laid out', '').matchAll(/^ {2}((?:\w+\/ ?)+) /gm)].flatMap(([, names]) =>
      names!
        .trim()
        .split(/\s+/)
        .map((name) => `src/${name}`),
    );
    expect([paths.length > 5, rooms.length > 8]).toEqual([true, true]);
    expect([...paths, ...rooms].filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

describe('Start', () => {
  const line = () => here(block('Start', 'sh', 1)).replace('curl', 'curl --silent --no-buffer');

  test('the curl line works as it stands', async () => {
    const { stdout } = await reader.type(line());
    expect(JSON.parse(stdout)).toMatchObject({ object: 'chat.completion', model: 'gpt-4.1-mini' });
  });

  test('with "stream": true in the body it streams', async () => {
    expect(README).toContain('Put `"stream": true` into the body');
    const { stdout } = await reader.type(line().replace('{"model"', '{"stream": true, "model"'));
    expect(stdout).toStartWith('data: {');
    expect(stdout).toEndWith('data: [DONE]\n\n');
  });

  test('the documents are where it says', async () => {
    const [address] = /http:\/\/127\.0\.0\.1:3000\/docs/.exec(README)!;
    expect((await fetch(here(address))).status).toBe(200);
  });
});

describe('Use it from your code', () => {
  test('the TypeScript works', async () => {
    const file = reader.path('example.ts');
    writeFileSync(file, here(block('Use it from your code', 'ts')));
    const node = join(import.meta.dir, '..', '..', 'node_modules');
    const finished = await reader.type(`NODE_PATH='${node}' '${process.execPath}' run '${file}'`);
    expect(finished).toEqual({ code: 0, stderr: '', stdout: expect.stringContaining('Say hello.') });
  });

  test.each([
    ['sim-error-429', 429],
    ['sim-error-500', 500],
    ['sim-tools', 200],
    ['sim-no-usage', 200],
  ])('%s answers %p', async (model, status) => {
    expect(README).toContain(`\`${model}\``);
    expect((await server.post('/v1/chat/completions', server.testKey, { ...CHAT, model })).status).toBe(status);
  });
});

test('Add a real provider', async () => {
  writeFileSync(reader.path('key.txt'), 'sk-or-readme-canary\n');
  await reader.follow('Add a real provider', [
    { line: 'panicly providers add --kind openai --api-key-env OPENAI_API_KEY', out: /OPENAI_API_KEY/ },
    { line: 'panicly providers add --kind openrouter --api-key - < key.txt', out: /openrouter .* stored/ },
    {
      line: 'panicly providers add --kind custom --name groq --base-url https://api.groq.com/openai/v1 --api-key-env GROQ_API_KEY',
      out: /groq +custom +https:\/\/api\.groq\.com\/openai\/v1 +GROQ_API_KEY/,
    },
    {
      line: 'panicly providers list',
      after: ({ stdout }) => {
        expect(stdout.trim().split('\n')).toHaveLength(4);
        expect(stdout).not.toContain('canary');
      },
    },
  ]);
});

test('Limits and rules', async () => {
  const document = block('Limits and rules', 'toml');
  writeFileSync(reader.path('policy.toml'), document);
  await reader.follow('Limits and rules', [
    { line: 'panicly policy diff policy.toml', code: 1, out: /^\+ models\.allow\.0 = "gpt-4\.1\*"$/m, err: /^panicly: the file differs/ },
    { line: 'panicly policy replay --file policy.toml --since 7d' },
    { line: 'panicly policy set policy.toml', out: /is in force for project default/ },
    {
      line: 'panicly policy get > policy.json',
      after: () => {
        const standing: unknown = JSON.parse(readFileSync(reader.path('policy.json'), 'utf8'));
        expect(standing).toMatchObject(Bun.TOML.parse(document));
        expect(standing).toHaveProperty('token_guard.max_input_tokens', 400_000);
      },
    },
  ]);
  await reader.take({ line: 'panicly policy diff policy.json', out: /^$/ });
  const answer = await server.post('/v1/chat/completions', server.testKey, { ...CHAT, model: 'o3' });
  denied = answer.headers.get('x-panicly-decision-id')!;
  expect([answer.status, await reasonOf(answer)]).toEqual([403, 'model_blocked']);
  const passed = await server.post('/v1/chat/completions', server.testKey, CHAT);
  allowed = passed.headers.get('x-panicly-decision-id')!;
  expect([passed.status, passed.headers.get('x-panicly-cost-usd')]).toEqual([200, expect.stringMatching(/^0\.\d+$/)]);
});

test('Commands', async () => {
  let made = { id: '', key: '' };
  const masterKey = () => readFileSync(join(server.dataDir, 'master.key'), 'utf8');
  const first = masterKey();
  writeFileSync(reader.path('models.json'), JSON.stringify({ ...models, as_of: '2026-07-03' }));
  await reader.follow('Commands', [
    { line: 'panicly status', out: /default/ },
    // The providers of the examples cannot be reached from here.
    { line: 'panicly doctor', fill: () => ({ doctor: 'doctor --offline' }) },
    { line: 'panicly requests list --decision deny --json', out: /"reason": "model_blocked"/ },
    { line: 'panicly requests show dec_...', fill: () => ({ 'dec_...': denied }), out: /model_blocked/ },
    { line: 'panicly requests correct dec_... --cost 0.02 --note "their bill"', fill: () => ({ 'dec_...': allowed }), out: /0\.02/ },
    { line: 'panicly projects create web', out: /prj_/ },
    {
      line: 'panicly keys create --project web --name backend',
      after: ({ stdout }) => {
        made = { id: /key_\w+/.exec(stdout)![0], key: /pk_live_\w+/.exec(stdout)![0] };
      },
    },
    {
      line: 'panicly keys revoke key_... --yes',
      fill: () => ({ 'key_...': made.id }),
      after: async () => {
        expect((await server.post('/v1/chat/completions', made.key, CHAT)).status).toBe(401);
      },
    },
    { line: 'panicly keys list --unused-for 30d' },
    // The example that was run above has a test key in it.
    { line: 'panicly keys scan .', code: 1, out: /example\.ts/, err: /one secret found that works/ },
    { line: 'panicly workspaces create research', out: /wsp_/ },
    { line: 'panicly operators create bob --role owner --workspace research', out: /po_live_/ },
    { line: 'panicly master-key rotate --yes', after: () => expect(masterKey()).not.toBe(first) },
    { line: 'panicly sentry on --project web', after: () => expectStopped() },
    { line: 'panicly usage --by model', out: /gpt-4\.1-mini/ },
    { line: 'panicly prices list --provider openai', out: /gpt-4\.1-mini/ },
    { line: 'panicly prices refresh models.json --dry-run', out: /2026-07-03/ },
    {
      line: 'panicly requests export --since 30d > requests.csv',
      after: () => expect(readFileSync(reader.path('requests.csv'), 'utf8')).toContain(denied),
    },
    { line: 'panicly report --month 2026-10', out: /2026-10/ },
    { line: 'panicly backup panicly-copy.db', after: () => expect(existsSync(reader.path('panicly-copy.db'))).toBe(true) },
    { line: 'panicly ledger verify' },
    {
      line: 'panicly ledger head > head.txt',
      after: async () => {
        expect(README).toContain('ledger verify --anchor head.txt');
        await reader.take({ line: 'panicly ledger verify --anchor head.txt' });
      },
    },
    { line: 'panicly ledger prune --older-than 90d --yes' },
  ]);
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
});

/** The project `web` lets nothing pass, the first project does. */
async function expectStopped(): Promise<void> {
  const { data } = await server.ask<{ data: { id: string; name: string }[] }>('/projects');
  const body = { name: 'test', environment: 'test' };
  const { key } = await server.ask<{ key: string }>(`/projects/${data.find(({ name }) => name === 'web')!.id}/keys`, {
    method: 'POST',
    body,
  });
  expect(await reasonOf(await server.post('/v1/chat/completions', key, CHAT))).toBe('sentry_mode');
  expect((await server.post('/v1/chat/completions', server.testKey, CHAT)).status).toBe(200);
}

describe('Commands, in its sentences', () => {
  test('completion is loaded into the shell', async () => {
    const line = `${inline('Commands', 'source <(panicly completion bash)')}; complete -p panicly`;
    expect((await reader.type(line, 'bash')).stdout).toContain('panicly');
  });

  test('a key that is about to be committed is found', async () => {
    const scan = inline('Commands', 'git diff --cached | panicly keys scan -').replace('git diff --cached', 'cat diff.txt');
    writeFileSync(reader.path('diff.txt'), `+const key = '${server.testKey}';\n`);
    const found = await reader.type(scan);
    expect(found.code).toBe(1);
    expect(found.stdout + found.stderr).not.toContain(server.testKey);
    writeFileSync(reader.path('diff.txt'), '+const key = process.env.KEY;\n');
    expect((await reader.type(scan)).code).toBe(0);
  });
});

test('Prices', async () => {
  await reader.follow('Prices', [
    { line: 'panicly prices refresh models.json --yes', out: /2026-07-03/ },
    { line: 'panicly prices versions', out: /2026-07-03/ },
    { line: 'panicly prices rollback' },
  ]);
  const own = inline('Prices', 'panicly prices set openai/gpt-4.1 --input 1.50 --yes');
  await reader.take({ line: own.replace(' --yes', ''), code: 1, err: /--yes/ });
  await reader.take({ line: own });
  await reader.take({ line: 'panicly prices list', out: /gpt-4\.1 +.*1\.5/ });
});
