import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { Client } from '../../src/cli/client.ts';
import type { Io } from '../../src/cli/output.ts';
import { addReplayCommand } from '../../src/cli/replay.ts';
import { ReplayReport, type ReplayReportJson } from '../../src/http/schemas/operator-replay.ts';
import { Value } from '@sinclair/typebox/value';
import { startScenario, type Answer, type Scenario } from '../support/scenario.ts';

let scenario: Scenario;
let server: Bun.Server<undefined>;
let scratch = '';

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'panicly-replay-'));
  scenario = await startScenario();
  server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: (request) => scenario.app.handle(request),
  });
  for (const model of ['gpt-4.1-mini', 'gpt-4.1-mini', 'o4-mini']) {
    expect((await scenario.chat(scenario.made.testKey, { model })).status).toBe(200);
  }
  expect((await scenario.chat(scenario.made.testKey, { plugins: [{ id: 'web' }] })).json).toMatchObject({
    error: { reason: 'unpriced_feature' },
  });
});

afterAll(async () => {
  await server.stop(true);
  await scenario.close();
  rmSync(scratch, { recursive: true, force: true });
});

const PATH = '/projects/default/policy/replay';
const BLOCK = { policy: { models: { block: ['o4-mini'] } }, from: '1h' };

async function ask(body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const response = await fetch(`${server.url.href}admin/v1${PATH}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${scenario.made.operatorToken}`, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
  return { status: response.status, headers: response.headers, text, json: isJson ? (JSON.parse(text) as Answer['json']) : {} };
}

describe('POST /projects/{id}/policy/replay', () => {
  test('answers with what changes, in the documented form', async () => {
    const { status, json } = await ask(BLOCK);
    expect(status).toBe(200);
    expect([...Value.Errors(ReplayReport, json)]).toEqual([]);
    expect(json).toMatchObject({
      policy: 'proposed',
      decisions: 4,
      before: { allowed: 3, denied: 1 },
      after: { allowed: 2, denied: 2 },
      newly_denied: { requests: 1, examples: [{ model: 'o4-mini', before: null, after: 'model_blocked', rule: 'block o4-mini' }] },
      newly_allowed: { requests: 0, cost_usd: '0.00', examples: [] },
      by_model: [{ name: 'o4-mini', newly_denied: 1, newly_allowed: 0 }],
      notes: [],
    });
    const {
      not_spent_usd: notSpent,
      newly_denied: denied,
      by_key: [key],
    } = json as unknown as ReplayReportJson;
    expect(Number(notSpent)).toBeGreaterThan(0);
    expect(denied.cost_usd).toBe(notSpent);
    expect(denied.examples[0]!.id).toStartWith('dec_');
    expect(key!.name).toStartWith('key_');
  });

  test('without a policy judges as it was judged', async () => {
    for (const body of [undefined, {}, { from: '2020-01-01' }])
      expect((await ask(body)).json).toMatchObject({
        policy: 'in_force',
        decisions: 4,
        newly_denied: { requests: 0 },
        newly_allowed: { requests: 0 },
      });
    expect((await ask({ from: '2020-01-01', to: '2020-02-01' })).json).toMatchObject({ decisions: 0 });
  });

  test('says what it cannot know', async () => {
    const { json } = await ask({ policy: { pricing: { allow_fields: ['plugins'] } } });
    expect(json['notes']).toEqual([expect.stringContaining('pricing.allow_fields')]);
  });

  test.each([
    [{ policy: { modles: {} } }, 'modles'],
    [{ from: 'yesterday' }, 'from'],
    [{ to: '2020-01-01' }, 'to'],
    [{ since: '7d' }, 'since'],
  ])('refuses %j and names what is wrong', async (body, param) => {
    expect(await ask(body)).toMatchObject({ status: 400, json: { error: { param } } });
  });

  test('refuses who is no operator', async () => {
    expect((await ask({}, { authorization: 'Bearer nobody' })).status).toBe(401);
  });

  test.each([
    [
      'text/event-stream',
      (text: string) =>
        text
          .split('\n\n')
          .filter(Boolean)
          .map((event) => event.split('\n')[1]!.slice('data: '.length)),
    ],
    ['application/x-ndjson', (text: string) => text.split('\n').filter(Boolean)],
  ] as const)('streams progress and then the report as %s', async (accept, linesOf) => {
    const { status, headers, text } = await ask(BLOCK, { accept });
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe(accept);
    const events = linesOf(text).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events[0]).toEqual({ progress: 0 });
    expect(events.at(-2)).toEqual({ progress: 1 });
    expect(events.at(-1)).toMatchObject({ report: { decisions: 4, newly_denied: { requests: 1 } } });
  });

  test('tells of another replay that runs, plainly and in a stream', async () => {
    const accept = 'text/event-stream';
    const answers = await Promise.all([ask(BLOCK), ask(BLOCK), ask(BLOCK, { accept }), ask(BLOCK, { accept })]);
    const isRefused = ({ text }: Answer): boolean => text.includes('"reason":"overloaded"');
    expect(answers.filter(isRefused).length).toBe(3);
    expect(
      answers
        .slice(0, 2)
        .filter(isRefused)
        .every(({ status }) => status === 503),
    ).toBe(true);
  });
});

async function cli(argv: readonly string[], isInteractive: boolean): Promise<{ out: string; err: string }> {
  const ran = { out: '', err: '' };
  const io: Io = {
    out: (text) => (ran.out += text),
    err: (text) => (ran.err += text),
    stdin: async () => '',
    isInteractive,
    isErrTerminal: isInteractive,
    ask: async () => '',
  };
  const client = new Client({ url: server.url.href, token: scenario.made.operatorToken, dataDir: '/nowhere' });
  const program = new Command().exitOverride();
  addReplayCommand(program.command('policy'), {
    io,
    handlers: { serve: unused, examine: unused, init: unused, restore: unused, verify: unused },
    client: () => client,
  });
  await program.parseAsync(['policy', 'replay', ...argv], { from: 'user' });
  return ran;
}

const unused = () => Promise.reject(new Error('not of this process'));

describe('panicly policy replay', () => {
  test('prints the differences, and a bar for a person', async () => {
    const file = join(scratch, 'new.toml');
    await Bun.write(file, '[models]\nblock = ["o4-mini"]\n');
    const { out, err } = await cli(['--file', file, '--since', '1h', '--project', 'default'], true);
    expect(out).toMatch(/as it was +3 +1/);
    expect(out).toMatch(/replayed +2 +2/);
    expect(out).toMatch(/dec_\w+ .*o4-mini +allow +model_blocked/);
    expect(err).toContain('100 %');
    expect(err).toEndWith('\r');
    const quiet = await cli(['--file', file, '--json'], false);
    expect(quiet.err).toBe('');
    expect(JSON.parse(quiet.out)).toMatchObject({ newly_denied: { requests: 1 } });
  });

  test('says in one line what the server refuses', async () => {
    expect(cli(['--since', 'yesterday'], false)).rejects.toThrow('from must be a time');
  });
});
