import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RestoreResult } from '../../src/cli/handlers.ts';
import { verifyLedger } from '../../src/ledger/sqlite/verify.ts';
import { NO_HANDLERS, startCommandLine, type CommandLine } from '../support/command-line.ts';
import type { Scenario } from '../support/scenario.ts';

/** `backup`, `backups`, `restore`, the exports and `report` against the real server, listening on a port of its own. */
let line: CommandLine;
let scenario: Scenario;
let scratch = '';
const restored: unknown[] = [];

const RESTORED: RestoreResult = {
  data: '/data',
  decisions: 3,
  settlements: 2,
  seq: 9,
  ledger_at: '2026-11-22T14:00:00.000Z',
  chain_head: null,
  manifest: true,
  before: '/data/panicly-before-restore-20261122T150000000Z.db',
  notes: [],
  needs_master_key: true,
};
beforeAll(async () => {
  line = await startCommandLine({ ...NO_HANDLERS, restore: async (...args) => (restored.push(args), RESTORED) });
  ({ scenario, scratch } = line);
  for (const model of ['gpt-4.1-mini', '=evil']) await scenario.chat(scenario.made.testKey, { model });
});
afterAll(() => line.close());

const run = (...argv: readonly string[]) => line.run(argv);

async function ok(...argv: readonly string[]): Promise<string> {
  const { code, out, err } = await run(...argv);
  expect([argv, code, err]).toEqual([argv, 0, '']);
  return out;
}

describe('backup', () => {
  test('into a file of this machine: whole, private, with its manifest, and none left on the server', async () => {
    const file = join(scratch, 'mine.db');
    const out = await ok('backup', file);
    expect(out).toContain('Keep the master key');
    expect([statSync(file).mode & 0o777, statSync(`${file}.json`).mode & 0o777]).toEqual([0o600, 0o600]);
    expect(verifyLedger(file)).toEqual([]);
    const manifest = JSON.parse(readFileSync(`${file}.json`, 'utf8')) as { sha256: string; format: number };
    expect(manifest).toMatchObject({ format: 1, sha256: new Bun.CryptoHasher('sha256').update(readFileSync(file)).digest('hex') });
    expect(await ok('backups', 'list')).toStartWith('there is no backup yet');
    expect(existsSync(`${file}.part`)).toBe(false);
  });

  test('never over a file that is there', async () => {
    const file = join(scratch, 'there.txt');
    writeFileSync(file, 'mine');
    const { code, err } = await run('backup', file);
    expect([code, err]).toEqual([1, expect.stringContaining('already')]);
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });

  test('on the server, then listed, taken away and deleted', async () => {
    const made = JSON.parse(await ok('backup', '--json')) as { name: string; file: null };
    expect(await ok('backups', 'list')).toContain(made.name);
    const file = join(scratch, 'taken.db');
    await ok('backups', 'download', made.name, file);
    expect(verifyLedger(file)).toEqual([]);
    expect((await run('backups', 'download', 'nobody.db', join(scratch, 'x'))).code).toBe(1);
    expect((await run('backups', 'delete', made.name)).code).toBe(2);
    await ok('backups', 'delete', made.name, '--yes');
    expect(JSON.parse(await ok('backups', 'list', '--json'))).toEqual({ data: [], next_cursor: null });
  });

  test('what arrives otherwise than it was announced is not kept', async () => {
    const { backups } = scenario.office;
    const list = backups.list.bind(backups);
    backups.list = () => list().map((one) => ({ ...one, sha256: 'f'.repeat(64) }));
    const name = (JSON.parse(await ok('backup', '--json')) as { name: string }).name;
    const file = join(scratch, 'wrong.db');
    const { code, err } = await run('backups', 'download', name, file);
    Reflect.deleteProperty(backups, 'list');
    expect([code, err]).toEqual([1, expect.stringContaining('not the backup')]);
    expect([existsSync(file), existsSync(`${file}.part`)]).toEqual([false, false]);
  });
});

describe('restore', () => {
  test('hands over what was said, and says what comes next', async () => {
    const out = await ok('restore', 'panicly.db', '--data', '/data', '--yes');
    expect(restored.at(-1)).toEqual([expect.objectContaining({ data: '/data' }), 'panicly.db', true]);
    for (const words of ['panicly ledger confirm-restore', 'Bring the master key', RESTORED.before!]) expect(out).toContain(words);
    expect(JSON.parse(await ok('restore', 'panicly.db', '--data', '/data', '--json'))).toEqual(RESTORED);
    expect(restored.at(-1)).toEqual([expect.anything(), 'panicly.db', false]);
  });
});

describe('exports', () => {
  test('of requests', async () => {
    const lines = (await ok('requests', 'export', '--format', 'jsonl')).trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    const csv = await ok('requests', 'export', '--since', '1h', '--model', '=evil');
    expect(csv.split('\r\n')).toHaveLength(3);
    expect(csv).toContain(",'=evil,");
    expect((await ok('requests', 'export', '--since', '2030-01-01')).trimEnd().split('\r\n')).toHaveLength(1);
    expect((await run('requests', 'export', '--since', '1h', '--from', '2026-01-01')).code).toBe(2);
    expect((await run('requests', 'export', '--format', 'xml')).code).toBe(2);
    expect((await run('requests', 'export', '--project', 'nowhere')).code).toBe(1);
  });

  test('of usage, beside the list', async () => {
    expect(await ok('usage', '--by', 'model')).toStartWith('MODEL');
    const csv = await ok('usage', 'export', '--by', 'model,day', '--environment', 'test');
    expect(csv).toStartWith('model,day,requests,');
    expect(csv.split('\r\n')).toHaveLength(4);
    const lines = (await ok('usage', 'export', '--by', 'model', '--format', 'jsonl')).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { requests: number }).requests)).toEqual([1, 1]);
  });

  test('of a month', async () => {
    expect(await ok('report', '--month', '2020-01')).toBe('nothing was asked in 2020-01\n');
    expect(await ok('report', '--csv')).toStartWith('month,project_id,project,model');
    expect(JSON.parse(await ok('report', '--project', 'default', '--json'))).toMatchObject({ total: { requests: 0 } });
    expect((await run('report', '--month', 'October')).code).toBe(1);
    expect((await run('report', '--csv', '--json')).code).toBe(2);
  });
});
