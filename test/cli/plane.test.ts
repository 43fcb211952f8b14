import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCli } from '../../src/cli/run.ts';
import type { StatusJson } from '../../src/http/schemas/operator.ts';
import { NO_HANDLERS, startCommandLine, type CommandLine, type RunOptions } from '../support/command-line.ts';
import type { Scenario } from '../support/scenario.ts';

/** The command line against the real server, listening on a port of its own. */
let line: CommandLine;
let scenario: Scenario;
let url = '';
let scratch = '';

beforeAll(async () => {
  line = await startCommandLine();
  ({ scenario, url, scratch } = line);
});
afterAll(() => line.close());

const run = (argv: readonly string[], options?: RunOptions) => line.run(argv, options);

async function ok(...argv: string[]): Promise<string> {
  const { code, out, err } = await run(argv);
  expect([argv.join(' '), code, err]).toEqual([argv.join(' '), 0, '']);
  return out;
}

async function json<Value = Record<string, unknown>>(...argv: string[]): Promise<Value> {
  return JSON.parse(await ok(...argv, '--json')) as Value;
}

const HOUR_MS = 3_600_000;
let round = 0;
let name = '';
beforeEach(async () => {
  name = `project-${++round}`;
  await ok('projects', 'create', name);
});

describe('policy', () => {
  test('what get prints is what set takes, and diff sees no difference', async () => {
    const file = join(scratch, 'policy.json');
    await Bun.write(file, await ok('policy', 'get', '--project', name));
    expect(await ok('policy', 'diff', file, '--project', name)).toBe('');
    expect(await ok('policy', 'set', file, '--project', name)).toBe(`version 2 is in force for project ${name}\n`);
  });

  test('TOML is taken, and diff shows each leaf that changes and stores nothing', async () => {
    const file = join(scratch, 'policy.toml');
    await Bun.write(file, 'retryable_status = 429\n[[budgets]]\nscope = "project"\nperiod = "day"\nlimit_usd = "3.00"\n');
    const diff = await run(['policy', 'diff', file, '--project', name]);
    expect(diff).toEqual({
      code: 1,
      out: '- budgets.0.limit_usd = "10.00"\n+ budgets.0.limit_usd = "3.00"\n- retryable_status = 403\n+ retryable_status = 429\n',
      err: `panicly: the file differs from version 1 of project ${name}\n`,
    });
    expect(await json('policy', 'get', '--project', name)).toMatchObject({ version: 1 });
    await ok('policy', 'set', file, '--project', name, '--if-version', '1');
    expect(await json('policy', 'get', '--project', name)).toMatchObject({ version: 2, policy: { retryable_status: 429 } });
    expect((await run(['policy', 'set', file, '--project', name, '--if-version', '1'])).code).toBe(1);
  });

  test.each([
    ['an unknown field', '{"budget": []}', 1, 'budget'],
    ['no object', '[]', 2, 'does not hold an object'],
    ['no document', '{"a":', 2, 'standard input: JSON Parse error'],
    ['no document of the other kind', 'a = 1\nb = = 2\n', 2, 'standard input:2: '],
  ])('%s on the standard input is refused', async (_, stdin, code, sentence) => {
    const ran = await run(['policy', 'set', '-', '--project', name], { stdin });
    expect([ran.code, ran.err]).toEqual([code, expect.stringContaining(sentence)]);
  });

  test('a workspace has one too', async () => {
    await run(['policy', 'set', '-', '--workspace', 'default'], { stdin: '{"budgets": []}' });
    expect(await json('policy', 'get', '--workspace', 'default')).toMatchObject({ policy: { budgets: [] } });
    expect((await run(['policy', 'get', '--workspace', 'default', '--project', name])).err).toContain('not both');
  });
});

test('sentry on and off, of project and workspace, and status shows it', async () => {
  expect(await ok('sentry', 'on', '--project', name)).toBe(`Sentry Mode is on for project ${name}\n`);
  expect(await ok('status')).toMatch(new RegExp(`^${name} +ON \\(project\\)`, 'm'));
  await ok('sentry', 'on', '--workspace', 'default');
  expect(await ok('status')).toMatch(/^default +ON +unlimited/m);
  await ok('sentry', 'off', '--workspace', 'default');
  expect(await ok('sentry', 'off', '--project', name)).toBe(`Sentry Mode is off for project ${name}\n`);
});

test('workspaces and credits', async () => {
  await ok('workspaces', 'create', name, '--plan', 'free');
  expect(await ok('workspaces', 'list')).toMatch(new RegExp(`${name} +free +150`));
  expect(await json('workspaces', 'set', name, '--included-requests', '7')).toMatchObject({ plan: 'custom', included_requests: 7 });
  expect(await json('workspaces', 'update', name, '--included-requests', 'unlimited')).toMatchObject({ included_requests: null });
  expect(await json('credits', 'grant', '--workspace', name, '--requests', '5', '--note', 'gift')).toMatchObject({ credits_left: 5 });
  expect(await ok('credits', 'list', '--workspace', name)).toMatch(/ 5 .*gift/);
  expect((await run(['credits', 'grant', '--workspace', name, '--requests', 'many'])).code).toBe(2);
});

describe('what destroys', () => {
  test.each([
    [() => ['projects', 'delete', name], 'delete project'],
    [async () => ['keys', 'revoke', await newKey()], 'revoke the key'],
    [async () => ['keys', 'rotate', await newKey()], 'revoke the key'],
    [async () => ['operators', 'remove', (await json<{ id: string }>('operators', 'create', name)).id], 'shut the operator'],
    [
      async () => ['providers', 'remove', (await json<{ id: string }>('providers', 'add', '--project', name, '--kind', 'openai')).id],
      'remove the',
    ],
    [
      async () => {
        await ok('prices', 'set', `custom/${name}`, '--input', '1', '--output', '2');
        return ['prices', 'unset', `custom/${name}`];
      },
      'take the price',
    ],
  ])('%p asks a person, and does nothing without one or --yes', async (command, sentence) => {
    const argv = await command();
    const alone = await run(argv);
    expect([alone.code, alone.out, alone.err]).toEqual([
      2,
      '',
      expect.stringMatching(new RegExp(`^panicly: this would ${sentence}.*--yes\\n$`)),
    ]);
    const no = await run(argv, { answer: 'n' });
    expect([no.code, no.out, no.err]).toEqual([1, expect.stringContaining(`This will ${sentence}`), 'panicly: nothing was done\n']);
    expect((await run(argv, { answer: '' })).code).toBe(1);
    expect((await run(argv, { answer: 'yes' })).code).toBe(0);
  });

  test('--yes goes on', async () => {
    expect(await ok('projects', 'delete', name, '--yes')).toBe(`deleted ${name}\n`);
    expect((await run(['projects', 'delete', name, '--yes'])).err).toContain(`there is no project "${name}"`);
  });

  async function newKey(): Promise<string> {
    return (await json<{ id: string }>('keys', 'create', '--project', name)).id;
  }
});

test('keys rotate with an overlap asks nothing', async () => {
  const { id } = await json<{ id: string }>('keys', 'create', '--project', name);
  const { key } = await json<{ key: string }>('keys', 'rotate', id, '--overlap', '60');
  expect(key).toStartWith('pk_live_');
  expect((await run(['keys', 'rotate', id, '--overlap', 'long'])).code).toBe(2);
});

test('prices: set keeps what was set before, and lowering wants --yes', async () => {
  const model = `custom/models/${name}`;
  await ok('prices', 'set', model, '--input-usd-per-million', '2', '--output-usd-per-million', '4');
  await ok('prices', 'set', model, '--input-audio', '8');
  const [price] = await json<Record<string, unknown>[]>('prices', 'list');
  expect(price).toMatchObject({ model: `models/${name}`, override: { input_usd: '2.00', output_usd: '4.00', input_audio_usd: '8.00' } });
  const refused = await run(['prices', 'set', model, '--input', '1']);
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('holds smaller: input is 2.00 USD now and would be 1.00 USD')]);
  expect(await ok('prices', 'set', model, '--input', '1', '--yes')).toMatch(/ 1\.00 +4\.00/);
  expect(await ok('prices', 'list', '--provider', 'openai')).toMatch(/^openai +gpt-4\.1 /m);
  for (const argv of [
    ['set', 'nameless', '--input', '1'],
    ['set', model],
    ['set', model, '--context', 'all'],
  ])
    expect((await run(['prices', ...argv])).code).toBe(2);
  await ok('prices', 'unset', model, '--yes');
});

describe('requests', () => {
  test('correct, show, list and usage agree', async () => {
    const { id, cost } = await request();
    expect(Number(cost)).toBeGreaterThan(0);
    await ok('requests', 'correct', id, '--cost', '0.5', '--note', 'their bill');
    expect(await ok('requests', 'show', id)).toMatch(/correction\.cost_usd +0\.50/);
    expect(await ok('requests', 'list', '--project', name)).toMatch(new RegExp(`${id}.* 0\\.50`));
    const usage = await json<Record<string, unknown>[]>('usage', '--by', 'day,model', '--project', name);
    expect(usage).toMatchObject([{ model: 'gpt-4.1-mini', requests: 1, cost_usd: '0.50' }]);
    expect(await ok('usage', '--by', 'project,reason', '--project', name)).toMatch(
      /^PROJECT +REASON +REQUESTS +IN +CACHED +OUT +COST USD\nprj_\w+ +completed +1 /,
    );
    expect((await run(['requests', 'correct', id, '--cost', 'much', '--note', 'n'])).code).toBe(1);
    expect((await run(['usage', '--by', 'colour'])).code).toBe(1);
    expect(await ok('audit', '--limit', '1')).toContain('decision.correct');
  });

  test('list --observed shows who would have been stopped', async () => {
    await run(['policy', 'set', '-', '--project', name], { stdin: '{"models": {"mode": "observe", "block": ["gpt-*"]}}' });
    const { id } = await request();
    expect(await ok('requests', 'list', '--observed', '--project', name)).toContain(id);
    expect(await ok('requests', 'show', id)).toMatch(/observed\.0\.control +models/);
  });

  test('tail prints what is decided from now on, until the operator is shut out', async () => {
    const operator = await json<{ id: string; token: string }>('operators', 'create', name);
    const seen = Promise.withResolvers<string>();
    const io = {
      out: (text: string) => seen.resolve(text),
      err: () => undefined,
      stdin: async () => '',
      isInteractive: false,
      ask: async () => '',
    };
    const environment = () => ({ url, token: operator.token, dataDir: '/nowhere' });
    const tail = runCli(['requests', 'tail', '--project', name], NO_HANDLERS, { io, environment });
    const timer = setInterval(() => void request(), 100);
    const line = await seen.promise;
    clearInterval(timer);
    expect(line).toMatch(/^\S+ {2}dec_\w+ {2}test {2}chat {2}gpt-4\.1-mini {2}allow {2}/);
    await ok('operators', 'remove', operator.id, '--yes');
    expect(await tail).toBe(1);
  });

  async function request(): Promise<{ id: string; cost: string }> {
    const key = testKeys.get(name) ?? (await json<{ key: string }>('keys', 'create', '--project', name, '--environment', 'test')).key;
    testKeys.set(name, key);
    const { headers } = await scenario.chat(key);
    return { id: headers.get('x-panicly-decision-id')!, cost: headers.get('x-panicly-cost-usd')! };
  }
});
const testKeys = new Map<string, string>();

test('operators', async () => {
  const { token, id } = await json<{ token: string; id: string }>('operators', 'create', name, '--role', 'owner');
  expect(await ok('operators', 'list')).toMatch(new RegExp(`${id} +${name} +owner`));
  expect(await ok('operators', 'list', '--json')).not.toContain(token);
});

test('ledger head is an anchor for ledger verify, as a line and in a file; ledger prune wants its word', async () => {
  const line = await ok('ledger', 'head');
  expect(line).toMatch(/^head-\d+-\S+\n$/);
  const file = join(scratch, 'head.txt');
  writeFileSync(file, line);
  for (const anchor of [file, line.trim()])
    expect(await ok('ledger', 'verify', '--server', '--anchor', anchor)).toContain('every row is as it was written');
  const later = line.trim().replace(/^head-\d+/, 'head-4000');
  expect(await run(['ledger', 'verify', '--server', '--anchor', later])).toMatchObject({
    code: 1,
    out: expect.stringContaining('tail was cut'),
  });
  expect(await run(['ledger', 'verify', '--server', '--anchor', 'x'])).toMatchObject({ code: 1, err: expect.stringContaining('anchor') });
  expect(await run(['ledger', 'prune', '--older-than', '90d'])).toMatchObject({ code: 2, err: expect.stringContaining('--yes') });
  expect(await run(['ledger', 'prune', '--older-than', 'x', '--yes'])).toMatchObject({ code: 2, err: expect.stringContaining('90d') });
  expect(await ok('ledger', 'prune', '--older-than', '90d', '--yes')).toMatch(/^decisions +0$/m);
});

test('ledger verify --server and confirm-clock', async () => {
  expect(await ok('ledger', 'verify', '--server')).toContain('every balance equals its rows');
  scenario.clock.jump(HOUR_MS);
  expect(await ok('status')).toContain('jumped: confirm it');
  expect(await ok('ledger', 'confirm-clock')).toMatch(/^it is \d{4}-/);
  expect(await ok('status')).toMatch(/^LEDGER +CLOCK .*\nok +ok /m);
});

test('status fits one screen, also with many projects: the fullest budgets stand there, and how many are left out', async () => {
  const budgets = ['day', 'week', 'month'].map((period) => ({ scope: 'project', period, limit_usd: '1.00' }));
  for (let index = 0; index < 12; index++) {
    await scenario.operate('POST', '/workspaces', { name: `space-${index}` });
    await scenario.operate('POST', '/projects', { name: `many-${index}` });
    await scenario.operate('PUT', `/projects/many-${index}/policy`, { budgets: budgets.slice(0, 1 + (index % 3)) });
    await scenario.operate('POST', '/projects/default/providers', {
      name: `mock-${index}`,
      kind: 'openai',
      api_key: 'sk-x',
      models: ['*'],
    });
  }
  // One is used up: it stands first. Its name would not fit.
  const long = 'n'.repeat(100);
  await scenario.operate('PATCH', '/projects/many-7', { name: long });
  await scenario.operate('PUT', `/projects/${long}/policy`, { budgets: [{ scope: 'project', period: 'week', limit_usd: '0' }] });
  const text = await ok('status');
  const lines = text.split('\n');
  expect(lines.length).toBeLessThan(45);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(120);
  const shown = lines.slice(lines.findIndex((line) => line.startsWith('BUDGET OF')) + 1);
  expect(shown[0]).toMatch(/^n{31}… +project week budget +0\.00 +0\.00 +0\.00 +0\.00 /);
  const { workspaces, projects } = await json<StatusJson>('status');
  const all = [...workspaces, ...projects].flatMap((one) => one.budgets);
  expect(shown[5]).toBe(`and ${all.length - 5} more: panicly status --json`);
});
