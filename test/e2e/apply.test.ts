import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runPanicly, startPanicly, temporaryDirectory, type Finished, type Panicly } from '../support/binary.ts';
import { projectFile } from '../support/sources.ts';

/** The file of the README, on a server that was started with it. */
const README = projectFile('README.md');
const EXAMPLE = /^## Configuration as code[\s\S]*?```toml\n([\s\S]*?)```/m.exec(README)![1]!;
const SECRETS = { OPENAI_API_KEY: 'sk-canary-apply-0123456789', ALERT_URL: 'https://hooks.example.com/canary-apply-hook' };

const file = join(temporaryDirectory(), 'panicly.toml');
let server: Panicly;
/** All that any command printed. */
const printed: string[] = [];

beforeAll(async () => {
  writeFileSync(file, EXAMPLE);
  server = await startPanicly({ env: { PANICLY_CONFIG: file, ...SECRETS } });
});
afterAll(() => server.kill());

async function cli(args: readonly string[], stdin?: string): Promise<Finished> {
  const env = { PANICLY_URL: server.url, PANICLY_TOKEN: server.operatorToken };
  const finished = await runPanicly(args, { env, ...(stdin === undefined ? {} : { stdin }) });
  printed.push(finished.stdout, finished.stderr);
  return finished;
}

async function auditCount(): Promise<number> {
  return (JSON.parse((await cli(['audit', '--json', '--limit', '1000'])).stdout) as unknown[]).length;
}

describe('panicly apply', () => {
  test('a dry run prints the plan and writes nothing', async () => {
    const audited = await auditCount();
    const dry = await cli(['apply', '-f', file, '--dry-run']);
    expect([dry.code, dry.stderr]).toEqual([0, '']);
    expect(dry.stdout).toContain('+ project default/web\n');
    expect(dry.stdout).toContain('policy.budgets[project day].limit_usd  "10.00" -> "20.00"  LOOSENS');
    expect(dry.stdout).toContain('~ workspace default\n');
    expect(dry.stdout).toContain('Not in the file');
    expect((await cli(['apply', '-f', file, '--dry-run', '--exit-code'])).code).toBe(1);
    expect(await auditCount()).toBe(audited);
  });

  test('applies, and a second time does nothing', async () => {
    const first = await cli(['apply', '-f', file]);
    expect([first.code, first.stdout.endsWith('Applied.\n')]).toEqual([0, true]);
    const audited = await auditCount();
    const second = await cli(['apply', '-f', file]);
    expect([second.code, second.stdout]).toEqual([0, expect.stringContaining('Nothing to do: 5 unchanged.')]);
    expect((await cli(['apply', '-f', '-', '--dry-run', '--exit-code'], EXAMPLE)).code).toBe(0);
    expect(await auditCount()).toBe(audited);
  });

  test('what is exported is accepted, and changes nothing', async () => {
    const toml = (await cli(['export'])).stdout;
    expect(toml).toContain('api_key_env = "OPENAI_API_KEY"');
    const again = await cli(['apply', '-f', '-', '--dry-run', '--prune', '--exit-code'], toml);
    expect([again.code, again.stdout]).toEqual([0, expect.stringMatching(/^Nothing to do/)]);
    const json = (await cli(['export', '--json', '--full'])).stdout;
    expect((await cli(['apply', '-f', '-', '--dry-run', '--prune', '--exit-code'], json)).code).toBe(0);
  });

  test('what destroys wants a yes where nobody can be asked', async () => {
    const refused = await cli(['apply', '-f', file, '--prune']);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('delete the project default/default')]);
    expect(refused.stderr).toContain('--yes');
    const pruned = await cli(['apply', '-f', file, '--prune', '--yes', '--json']);
    expect([pruned.code, (JSON.parse(pruned.stdout) as { applied: boolean }).applied]).toEqual([0, true]);
    expect((await cli(['projects', 'list'])).stdout).not.toContain('default  default');
  });

  test.each([
    [EXAMPLE.replace('limit_usd = "20.00"', 'limit_usd = 20'), 'limit_usd = "20.00"', 'amount in USD'],
    [EXAMPLE.replace('kind = "openai"', 'knid = "openai"'), 'kind = "openai"', 'Did you mean "kind"?'],
    [EXAMPLE.replace('[[prices]]', '[[price]]'), '[[prices]]', 'Did you mean "prices"?'],
    [EXAMPLE.replace('input_usd = "1.00"', 'input_usd = = 1'), 'input_usd = "1.00"', 'standard input:'],
  ])('a mistake is named with its line, in one line', async (text, original, words) => {
    const line = EXAMPLE.split('\n').findIndex((one) => one.startsWith(original)) + 1;
    const refused = await cli(['apply', '-f', '-'], text);
    expect([refused.code, refused.stdout]).toEqual([2, '']);
    expect(refused.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(refused.stderr).toStartWith(`panicly: standard input:${line}: `);
    expect(refused.stderr).toContain(words);
  });

  test('nothing that was printed holds a secret', () => {
    expect(printed.length).toBeGreaterThan(20);
    for (const text of [...printed, server.stderr()]) expect(text).not.toContain('canary-apply');
  });
});

describe('SIGHUP', () => {
  /** Writes the file, sends the signal, and waits for the line in the log that answers it. */
  async function reloaded(text: string): Promise<Readonly<Record<string, unknown>>> {
    const lines = () =>
      server
        .stderr()
        .split('\n')
        .filter((line) => line.includes('"event":"configuration_re'));
    const before = lines().length;
    writeFileSync(file, text);
    process.kill(server.pid, 'SIGHUP');
    while (lines().length === before) await Bun.sleep(10);
    return JSON.parse(lines().at(-1)!) as Readonly<Record<string, unknown>>;
  }

  const big = async () => {
    const answer = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4.1-mini', messages: [{ role: 'user', content: 'x'.repeat(2_000) }] }),
    });
    return answer.status;
  };
  let key = '';

  test('takes over what may change while requests come, and names what needs a restart', async () => {
    key = (
      JSON.parse((await cli(['keys', 'create', '--project', 'web', '--name', 'k', '--environment', 'test', '--json'])).stdout) as {
        key: string;
      }
    ).key;
    expect(await big()).toBe(200);
    const smaller = EXAMPLE.replace('body_bytes = 10_000_000', 'body_bytes = 1_000').replace('[server]\n', '[server]\nhost = "0.0.0.0"\n');
    const line = await reloaded(smaller);
    expect(line).toMatchObject({ event: 'configuration_reloaded', changed: ['limits.body_bytes'], needs_restart: ['server.host'] });
    expect(await big()).toBe(413);
  });

  test('a file with a mistake changes nothing and is logged with the reason', async () => {
    const line = await reloaded(EXAMPLE.replace('body_bytes = 10_000_000', 'body_bites = 5'));
    expect(line).toMatchObject({
      event: 'configuration_refused',
      level: 'error',
      why: expect.stringContaining('Did you mean "body_bytes"?'),
    });
    expect(await big()).toBe(413);
    expect(await reloaded(EXAMPLE)).toMatchObject({ changed: ['limits.body_bytes'], needs_restart: [] });
    expect(await big()).toBe(200);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });
});
