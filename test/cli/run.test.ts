import { afterAll, describe, expect, test } from 'bun:test';
import { ConfigProblem, type ConfigFlags } from '../../src/config.ts';
import type { CliHandlers } from '../../src/cli/handlers.ts';
import { runCli } from '../../src/cli/run.ts';
import { VERSION } from '../../src/version.ts';
import { DENIAL, fakeServer, TOKEN } from './fake-server.ts';

const server = fakeServer();
afterAll(() => server.stop());

const MADE = { workspace_id: 'wsp_1', project_id: 'prj_1', live_key: 'pk_live_x', test_key: 'pk_test_x', operator_token: 'po_live_x' };

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly served: ConfigFlags[];
}

async function run(
  argv: readonly string[],
  options: { token?: string | null; url?: string; stdin?: string; init?: 'again' } = {},
): Promise<Ran> {
  let out = '';
  let err = '';
  const served: ConfigFlags[] = [];
  const handlers: CliHandlers = {
    serve: async (flags) => {
      served.push(flags);
      if (flags.port === '99999') throw new ConfigProblem('the port must be a number from 0 to 65535');
    },
    init: async () => (options.init ? null : MADE),
    examine: () => Promise.reject(new Error('not tested here')),
    restore: () => Promise.reject(new Error('not tested here')),
    verify: async (flags) => ({
      ok: flags.data !== 'broken',
      decisions: 2,
      settlements: 1,
      problems: ['balance 1 is 5, its rows say 4'],
      first_bad_row: null,
      notes: ['a note'],
      head: 'head-1',
    }),
  };
  const code = await runCli(argv, handlers, {
    io: {
      out: (text) => (out += text),
      err: (text) => (err += text),
      stdin: async () => options.stdin ?? '',
      isInteractive: false,
      ask: async () => '',
    },
    environment: () => ({
      url: options.url ?? server.url,
      token: options.token === undefined ? TOKEN : options.token,
      dataDir: '/nowhere',
    }),
  });
  return { code, out, err, served };
}

function lastSeen() {
  return server.seen.at(-1)!;
}

describe('commands of this process', () => {
  test('--version is the version of package.json', async () => {
    expect(await run(['--version'])).toMatchObject({ code: 0, out: `${VERSION}\n`, err: '' });
    expect(VERSION).toMatch(/^\d+\.\d+\.\d+/);
  });

  test.each([[[]], [['--help']], [['help']]])('%j shows help with examples', async (argv) => {
    const { code, out, err } = await run(argv);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const word of ['serve', 'init', 'requests', 'projects', 'keys', 'providers', 'ledger', 'Examples:', 'PANICLY_URL'])
      expect(out).toContain(word);
  });

  test('serve passes its flags on', async () => {
    const { code, served } = await run(['serve', '--data', 'd', '--host', '::1', '--port', '0', '--config', 'c.toml']);
    expect({ code, served }).toEqual({ code: 0, served: [{ data: 'd', host: '::1', port: '0', config: 'c.toml' }] });
  });

  test('init prints what it made, as text and as JSON', async () => {
    const { out } = await run(['init']);
    for (const value of Object.values(MADE)) expect(out).toContain(value);
    expect(JSON.parse((await run(['init', '--json'])).out)).toEqual(MADE);
  });

  test('ledger verify says yes or no', async () => {
    expect(await run(['ledger', 'verify'])).toMatchObject({ code: 0, out: expect.stringContaining('every balance equals its rows') });
    const broken = await run(['ledger', 'verify', '--data', 'broken']);
    expect(broken).toMatchObject({ code: 1, err: 'panicly: the ledger does not add up\n' });
    expect(broken.out).toContain('balance 1 is 5');
  });
});

describe('one clear line and an exit code', () => {
  const closed = 'http://127.0.0.1:1';
  test.each([
    [['serve', '--prot', '1'], {}, 2, "unknown option '--prot'"],
    [['serve', '--port', '99999'], {}, 2, 'the port must be a number'],
    [['serve', 'extra'], {}, 2, 'too many arguments'],
    [['sevre'], {}, 2, "unknown command 'sevre'"],
    [['keys', 'create', '--environment', 'both'], {}, 2, "'both' is invalid"],
    [['keys', 'revoke'], {}, 2, "missing required argument 'id'"],
    [['providers', 'add'], {}, 2, '--kind'],
    [['providers', 'add', '--kind', 'openai', '--api-key', 'a', '--api-key-env', 'B'], {}, 2, 'not both'],
    [['providers', 'add', '--kind', 'openai', '--api-key', '-'], {}, 2, 'held no key'],
    [['requests', 'list', '--limit', '0'], {}, 2, '--limit must be'],
    [['keys', 'revoke', 'key_1'], {}, 2, 'this would revoke the key key_1 for good, and cut its open streams: repeat it with --yes'],
    [['providers', 'remove', 'con_1'], {}, 2, 'repeat it with --yes'],
    [['keys', 'list'], {}, 2, 'there are 2 projects'],
    [['keys', 'list', '--project', 'nobody'], {}, 2, 'no project "nobody"'],
    [['projects', 'list'], { token: null }, 2, 'set PANICLY_TOKEN'],
    [['projects', 'list'], { token: 'wrong' }, 2, 'does not accept this operator token'],
    [['projects', 'list'], { url: closed }, 2, `no Panicly answers at ${closed}`],
    [['projects', 'list'], { url: 'localhost:3000' }, 2, 'PANICLY_URL is not an address'],
    [['requests', 'list', '--limit', '9'], {}, 2, 'it is no Panicly'],
    [['requests', 'show', 'dec_9'], {}, 1, 'Nothing has this id. Really.'],
    [['init'], { init: 'again' }, 1, 'keys are shown once'],
    [['status'], {}, 1, 'cannot serve right now'],
  ] as const)('%j %j is %i: %s', async (argv, options, code, sentence) => {
    const ran = await run(argv, options);
    expect(ran.code).toBe(code);
    expect(ran.err).toContain(sentence);
    expect(ran.err).toMatch(/^panicly: .+\n$/);
    expect(ran.err).not.toContain(TOKEN);
  });
});

test.each([[['status']], [['projects', 'list']]])('%j: a server that answers JSON and is no Panicly is one line', async (argv) => {
  using other = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => Response.json({ hello: 'world' }) });
  const { code, err } = await run(argv, { url: `http://127.0.0.1:${other.port}` });
  expect([code, err]).toEqual([2, `panicly: http://127.0.0.1:${other.port} answers, but it is no Panicly (status 200)\n`]);
});

describe('commands that ask the server', () => {
  test.each([
    [['projects', 'list'], 'GET', '/admin/v1/projects?cursor=p2', null, 'prj_2  web'],
    [['projects', 'create', 'new'], 'POST', '/admin/v1/projects', { name: 'new' }, 'prj_3  new'],
    [['keys', 'list', '--project', 'web'], 'GET', '/admin/v1/projects/prj_2/keys', null, 'pk_live_Ab3d...'],
    [
      ['keys', 'create', '--project', 'web', '--name', 'b', '--environment', 'test', '--expires', '2027-01-01'],
      'POST',
      '/admin/v1/projects/prj_2/keys',
      { name: 'b', environment: 'test', expires_at: '2027-01-01' },
      'pk_live_secret',
    ],
    [['keys', 'revoke', 'key_1', '--yes'], 'POST', '/admin/v1/keys/key_1/revoke', {}, 'key_1'],
    [['providers', 'list', '--project', 'prj_2'], 'GET', '/admin/v1/projects/prj_2/providers', null, 'OPENAI_API_KEY'],
    [
      ['providers', 'add', '--project', 'web', '--kind', 'custom', '--base-url', 'http://127.0.0.1:1/v1', '--models', 'a*, b'],
      'POST',
      '/admin/v1/projects/prj_2/providers',
      { name: 'custom', kind: 'custom', base_url: 'http://127.0.0.1:1/v1', models: ['a*', 'b'] },
      'con_1',
    ],
    [['providers', 'remove', 'con_1', '--yes'], 'DELETE', '/admin/v1/providers/con_1', null, 'removed con_1'],
    [['requests', 'list'], 'GET', '/admin/v1/decisions?limit=50', null, 'More with: --cursor c2'],
    [['requests', 'show', 'dec_2'], 'GET', '/admin/v1/decisions/dec_2', null, 'Wait until midnight.'],
  ] as const)('%j sends %s %s', async (argv, method, path, body, printed) => {
    const { code, out, err } = await run(argv);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(lastSeen()).toEqual({ method, path, authorization: `Bearer ${TOKEN}`, body });
    expect(out).toContain(printed);
    const asJson = await run([...argv, '--json']);
    expect(JSON.parse(asJson.out)).toBeObject();
  });

  test('a key of a provider comes from the standard input', async () => {
    const { out } = await run(['providers', 'add', '--project', 'web', '--kind', 'openai', '--api-key', '-'], { stdin: 'sk-1\n' });
    expect(lastSeen().body).toEqual({ name: 'openai', kind: 'openai', api_key: 'sk-1' });
    expect(out).not.toContain('sk-1');
  });

  test('lists are aligned, and nothing of a client reaches the terminal raw', async () => {
    const { out } = await run(['requests', 'list']);
    const lines = out.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^TIME +ID +ENV +ROUTE +MODEL +DECISION +OUTCOME +IN +OUT +COST USD$/);
    expect(lines[1]!.indexOf('dec_1')).toBe(lines[0]!.indexOf('ID'));
    expect(lines[2]!.indexOf('dec_2')).toBe(lines[0]!.indexOf('ID'));
    expect(out).toContain('deny project_budget x7');
    expect(out).not.toContain('\u001b');
  });

  test('--json gives the page as the server sent it', async () => {
    const { out } = await run(['requests', 'list', '--decision', 'deny', '--limit', '2', '--json']);
    expect(JSON.parse(out)).toEqual({ data: [DENIAL], next_cursor: null });
  });
});
