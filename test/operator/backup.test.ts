import { Database } from 'bun:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countRows } from '../../src/ledger/sqlite/counts.ts';
import { lockDataDirectory } from '../../src/ledger/sqlite/lock.ts';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { verifyLedger } from '../../src/ledger/sqlite/verify.ts';
import { Backups, type BackupOptions } from '../../src/operator/backups.ts';
import { restoreLedger, RestoreProblem, stopAfterRestore, type Restored } from '../../src/operator/restore.ts';
import { NOTHING } from '../support/policies.ts';
import { startOn, startScenario, TestClock, type Scenario } from '../support/scenario.ts';

let scenario: Scenario;
let scratch = '';
let count = 0;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'panicly-backup-'));
  scenario = await startScenario();
  await scenario.operate('PUT', '/projects/default/policy', NOTHING);
});
afterAll(async () => {
  await scenario.close();
  rmSync(scratch, { recursive: true, force: true });
});

const fresh = () => join(scratch, `data-${++count}`);

function restore(file: string, dataDir = fresh(), moveAside = false): Restored {
  return restoreLedger({ dataDir, file, moveAside, nowMs: Date.now(), sealKeys: [] });
}

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(RestoreProblem);
    return (error as Error).message;
  }
  throw new Error('was restored');
}

interface Made {
  readonly name: string;
  readonly size_bytes: number;
  readonly sha256: string;
  readonly decisions: number;
  readonly seq: number;
}

async function backedUp(): Promise<Made & { readonly path: string }> {
  const { status, json } = await scenario.operate('POST', '/backup');
  expect(status).toBe(201);
  const made = json as unknown as Made;
  return { ...made, path: join(scenario.dataDir, 'backups', made.name) };
}

/** Sends requests one after the other, in several lines, until it is told to stop; resolves to how many were answered. */
function load(lines: number): { stop: () => Promise<number> } {
  const state = { isOver: false };
  let answered = 0;
  const line = async () => {
    while (!state.isOver) {
      if ((await scenario.chat(scenario.made.testKey)).status === 200) answered++;
      // Without a network the answers would leave no room for anything else.
      await Bun.sleep(1);
    }
  };
  const all = Promise.all(Array.from({ length: lines }, line));
  return {
    stop: async () => {
      state.isOver = true;
      await all;
      return answered;
    },
  };
}

describe('a backup of the running program', () => {
  test('under load, is whole, private, restores and verifies', async () => {
    const running = load(4);
    const made: (Made & { path: string })[] = [];
    for (let round = 0; round < 3; round++) made.push(await backedUp());
    const answered = await running.stop();
    expect(answered).toBeGreaterThan(0);
    for (const { path, sha256, size_bytes, decisions } of made) {
      expect([statSync(path).mode & 0o777, statSync(`${path}.json`).mode & 0o777]).toEqual([0o600, 0o600]);
      expect(new Bun.CryptoHasher('sha256').update(readFileSync(path)).digest('hex')).toBe(sha256);
      expect(statSync(path).size).toBe(size_bytes);
      const dataDir = fresh();
      expect(restore(path, dataDir)).toMatchObject({ hadManifest: true, before: null, problems: [], decisions });
      expect(verifyLedger(ledgerPath(dataDir))).toEqual([]);
      expect(statSync(ledgerPath(dataDir)).mode & 0o777).toBe(0o600);
    }
    expect(made[2]!.seq).toBeGreaterThan(made[0]!.seq);
    expect(statSync(join(scenario.dataDir, 'backups')).mode & 0o777).toBe(0o700);
    expect(await scenario.problems()).toEqual([]);
  }, 60_000);

  test('is listed, downloaded by owners only, and deleted, each with its audit event', async () => {
    const { name, sha256, path } = await backedUp();
    const { json } = await scenario.operate('GET', '/backups');
    expect((json['data'] as Made[])[0]).toMatchObject({ name, sha256, kind: 'manual' });
    const viewer = String((await scenario.operate('POST', '/operators', { name: 'looker', role: 'viewer' })).json['token']);
    expect((await scenario.operate('GET', `/backups/${name}`, undefined, { token: viewer })).status).toBe(403);
    const headers = { host: 'panicly.test', authorization: `Bearer ${scenario.made.operatorToken}` };
    const response = await scenario.app.handle(new Request(`http://panicly.test/admin/v1/backups/${name}`, { headers }));
    expect(new Bun.CryptoHasher('sha256').update(await response.bytes()).digest('hex')).toBe(sha256);
    expect((await scenario.operate('DELETE', `/backups/${name}`)).status).toBe(204);
    expect([existsSync(path), existsSync(`${path}.json`)]).toEqual([false, false]);
    const audit = (await scenario.operate('GET', '/audit?limit=4')).json['data'] as { action: string; subject: string }[];
    expect(audit.filter(({ subject }) => subject === name).map(({ action }) => action)).toEqual([
      'backup.delete',
      'backup.download',
      'backup.make',
    ]);
  });

  test('no name leads out of the directory', async () => {
    const { name } = await backedUp();
    const directory = join(scenario.dataDir, 'backups');
    const link = 'panicly-20260101T000000000Z.db';
    symlinkSync(ledgerPath(scenario.dataDir), join(directory, link));
    copyFileSync(join(directory, `${name}.json`), join(directory, `${link}.json`));
    const ways = [
      link,
      '..%2Fpanicly.db',
      '..%2Foperator.token',
      '%2Fetc%2Fpasswd',
      `${name}.json`,
      `${name}%00`,
      `.%2F${name}`,
      `..%2Fbackups%2F${name}`,
      `${name}%0a`,
    ];
    for (const way of ways)
      for (const method of ['GET', 'DELETE']) {
        const { status, text } = await scenario.operate(method, `/backups/${way}`);
        expect([way, method, status, text.includes('SQLite format')]).toEqual([way, method, 404, false]);
      }
    expect(existsSync(ledgerPath(scenario.dataDir))).toBe(true);
    const answer = await scenario.operate('POST', '/backup', { path: '/tmp/elsewhere.db' });
    expect([answer.status, answer.json['error']]).toEqual([400, expect.objectContaining({ reason: 'unknown_field', param: 'path' })]);
    rmSync(join(directory, link));
  });

  test('one at a time', async () => {
    const [first, second] = await Promise.all([scenario.operate('POST', '/backup'), scenario.operate('POST', '/backup')]);
    expect([Math.min(first.status, second.status), Math.max(first.status, second.status)]).toEqual([201, 503]);
  });
});

describe('what is no backup is not restored', () => {
  let good = '';
  let dataDir = '';

  /** A copy of the good backup, with its manifest or without, after `harm`. */
  function harmed(withManifest: boolean, harm: (path: string) => void): string {
    const path = join(scratch, `harmed-${++count}.db`);
    copyFileSync(good, path);
    if (withManifest) copyFileSync(`${good}.json`, `${path}.json`);
    harm(path);
    return path;
  }

  const cut = (path: string) => truncateSync(path, statSync(path).size - 4096);
  const flip = (path: string) => {
    const bytes = readFileSync(path);
    const at = Math.floor(bytes.length / 2);
    const file = openSync(path, 'r+');
    writeSync(file, new Uint8Array([bytes[at]! ^ 1]), 0, 1, at);
    closeSync(file);
  };
  const edit = (path: string) => {
    const db = new Database(path);
    db.run('UPDATE settlements SET cost_nano_usd = cost_nano_usd + 1 WHERE seq = (SELECT max(seq) FROM settlements)');
    db.close();
  };
  const stranger = (path: string) => {
    rmSync(path);
    const db = new Database(path, { create: true });
    db.run('CREATE TABLE notes (text TEXT)');
    db.close();
  };

  beforeAll(async () => {
    good = (await backedUp()).path;
    dataDir = fresh();
    restore(good, dataDir);
  });

  test.each<[string, boolean, (path: string) => void, RegExp]>([
    ['cut short, with its manifest', true, cut, /has \d+ bytes, but its manifest says \d+/],
    ['cut short, without', false, cut, /is damaged|cannot be read/],
    ['a flipped bit, with its manifest', true, flip, /is not what its manifest says/],
    ['an edited row, without its manifest', false, edit, /is damaged or was changed/],
    ['a text', false, (path) => writeFileSync(path, 'hello'), /is not a ledger of Panicly/],
    ['nothing', false, (path) => writeFileSync(path, ''), /is not a ledger of Panicly/],
    ['another database', false, stranger, /is not a ledger of Panicly/],
    ['a ledger in use', false, (path) => writeFileSync(`${path}-wal`, 'x'), /has a log beside it/],
    [
      'a newer ledger',
      false,
      (path) => new Database(path).run("INSERT INTO schema_migrations VALUES ('9999_future', 'x', 0)"),
      /newer than this/,
    ],
  ])('%s', (_, withManifest, harm, why) => {
    const before = readFileSync(ledgerPath(dataDir));
    expect(refusal(() => restore(harmed(withManifest, harm), dataDir, true))).toMatch(why);
    expect(readFileSync(ledgerPath(dataDir)).equals(before)).toBe(true);
    const left = readdirSync(dataDir).filter((name) => name.includes('restoring') || name.includes('before'));
    expect(left).toEqual([]);
  });

  test('what Litestream puts together is: in WAL mode, with tables of its own, without a manifest', () => {
    const path = harmed(false, (file) => {
      const db = new Database(file);
      db.run('PRAGMA journal_mode=WAL');
      db.run('CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)');
      db.run('CREATE TABLE _litestream_lock (id INTEGER)');
      db.run('PRAGMA wal_checkpoint(TRUNCATE)');
      db.close();
    });
    const target = fresh();
    expect(restore(path, target)).toMatchObject({ hadManifest: false, problems: [] });
    expect(verifyLedger(ledgerPath(target))).toEqual([]);
  });

  test('a file that is not there', () => {
    expect(refusal(() => restore(join(scratch, 'nowhere.db')))).toMatch(/there is no file/);
  });

  test('over a ledger only when it may be moved aside, and then it is kept', () => {
    const before = countRows(ledgerPath(dataDir));
    expect(before.decisions).toBeGreaterThan(0);
    expect(refusal(() => restore(good, dataDir))).toMatch(/there is a ledger .* already: --yes/);
    const moved = restore(good, dataDir, true).before!;
    expect(countRows(moved)).toEqual(before);
    expect(verifyLedger(moved)).toEqual([]);
    expect(verifyLedger(ledgerPath(dataDir))).toEqual([]);
  });

  test('not under a running server', () => {
    const lock = lockDataDirectory(dataDir);
    expect(() => restore(good, dataDir, true)).toThrow('used by another panicly process');
    lock.release();
  });

  test('a damaged ledger is moved aside as it is', () => {
    const broken = fresh();
    restore(good, broken);
    writeFileSync(ledgerPath(broken), 'no database at all');
    writeFileSync(`${ledgerPath(broken)}-wal`, 'nor a log');
    const moved = restore(good, broken, true).before!;
    expect(readFileSync(moved, 'utf8')).toBe('no database at all');
    expect(existsSync(`${ledgerPath(broken)}-wal`)).toBe(false);
    expect(verifyLedger(ledgerPath(broken))).toEqual([]);
  });
});

test('a restored ledger serves nobody until a person confirms it', async () => {
  const { path } = await backedUp();
  const dataDir = fresh();
  restore(path, dataDir);
  copyFileSync(join(scenario.dataDir, 'master.key'), join(dataDir, 'master.key'));
  const first = await startOn(dataDir, scenario.made);
  expect(await stopAfterRestore(first.office.store, dataDir)).toBe(true);
  const restored = await first.restart();
  try {
    expect(await stopAfterRestore(restored.office.store, dataDir)).toBe(false);
    const refused = await restored.chat(scenario.made.testKey);
    expect([refused.status, refused.json['error']]).toEqual([403, expect.objectContaining({ reason: 'sentry_mode' })]);
    const status = (await restored.operate('GET', '/status')).json as { ledger: { restored_at: string | null } };
    expect(status.ledger.restored_at).toMatch(/^20/);
    const confirmed = await restored.operate('POST', '/ledger/confirm-restore');
    expect([confirmed.status, confirmed.json]).toEqual([200, { workspaces: ['default'] }]);
    expect((await restored.chat(scenario.made.testKey)).status).toBe(200);
    expect((await restored.operate('POST', '/ledger/confirm-restore')).status).toBe(409);
    const after = (await restored.operate('GET', '/status')).json as { ledger: { restored_at: string | null } };
    expect(after.ledger.restored_at).toBeNull();
    const actions = ((await restored.operate('GET', '/audit?limit=3')).json['data'] as { action: string }[]).map(({ action }) => action);
    expect(actions).toEqual(['sentry.off', 'ledger.confirm_restore', 'ledger.restore']);
    expect(await restored.problems()).toEqual([]);
  } finally {
    await restored.close();
  }
});

describe('the schedule', () => {
  const HOUR_MS = 3_600_000;

  function scheduled(over: Partial<BackupOptions> = {}) {
    const clock = new TestClock();
    const log: [string, Readonly<Record<string, unknown>>][] = [];
    const directory = over.directory ?? join(scratch, `scheduled-${++count}`);
    const { store } = scenario.office;
    const backups = new Backups({
      directory,
      everyMs: HOUR_MS,
      keep: 2,
      ledgerPath: ledgerPath(scenario.dataDir),
      store,
      clock,
      log: (event, fields) => void log.push([event, fields]),
      ...over,
    });
    return { backups, clock, log, directory };
  }

  test('makes one when it is due, keeps the newest, and touches nothing else', async () => {
    const { backups, clock, log, directory } = scheduled();
    const byHand = await backups.make('manual');
    writeFileSync(join(directory, 'notes.txt'), 'mine');
    for (let hour = 0; hour < 4; hour++) {
      await backups.tick();
      await backups.tick();
      clock.pass(HOUR_MS);
    }
    expect(log.map(([event]) => event)).toEqual([
      ...Array.from({ length: 2 }, () => 'backup_made'),
      'backup_made',
      'backup_deleted',
      'backup_made',
      'backup_deleted',
    ]);
    const kinds = backups.list().map(({ kind }) => kind);
    expect(kinds).toEqual(['scheduled', 'scheduled', 'manual']);
    expect(readdirSync(directory)).toEqual(expect.arrayContaining(['notes.txt', byHand.name]));
    expect(readdirSync(directory)).toHaveLength(7);
  });

  test('logs a failure, waits, and tries again', async () => {
    const directory = join(scratch, `blocked-${++count}`);
    writeFileSync(directory, 'a file where the directory should be');
    const { backups, clock, log } = scheduled({ directory });
    await backups.tick();
    await backups.tick();
    expect(log).toEqual([['backup_failed', { why: expect.stringMatching(/cannot be written \((?:EEXIST|ENOTDIR)\)/) }]]);
    rmSync(directory);
    clock.pass(600_000);
    await backups.tick();
    expect(log.map(([event]) => event)).toEqual(['backup_failed', 'backup_made']);
  });

  test('a copy that does not add up is not kept', async () => {
    const { store } = scenario.office;
    const lying = {
      writeCopy: (path: string) => store.writeCopy(path),
      checkCopy: async (path: string) => ({ ...(await store.checkCopy(path)), problems: ['rollup: the rows say 1'] }),
    } as unknown as BackupOptions['store'];
    const { backups, log, directory } = scheduled({ store: lying });
    await backups.tick();
    expect(log).toEqual([['backup_failed', { why: 'the copy does not add up: rollup: the rows say 1' }]]);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('what a crash left is cleared by the next one', async () => {
    const { backups, directory } = scheduled();
    const { name } = await backups.make('manual');
    const left = ['panicly-20260101T000000000Z.db.part', 'panicly-20260101T000000000Z.db.json', 'panicly-20260101T000000000Z.db.json.part'];
    for (const file of left) writeFileSync(join(directory, file), 'x');
    const next = await backups.make('manual');
    expect(readdirSync(directory).toSorted()).toEqual([name, `${name}.json`, next.name, `${next.name}.json`].toSorted());
  });

  test('is off without a setting, and a backup from the future does not hold it up', async () => {
    const off = scheduled({ everyMs: null });
    await off.backups.tick();
    expect(off.log).toEqual([]);
    const { backups, clock, log } = scheduled();
    clock.jump(100 * HOUR_MS);
    await backups.tick();
    clock.jump(-100 * HOUR_MS);
    await backups.tick();
    expect(log.map(([event]) => event)).toEqual(['backup_made', 'backup_made']);
  });
});
