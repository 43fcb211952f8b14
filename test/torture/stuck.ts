import { Database } from 'bun:sqlite';
import { join } from 'node:path';
import { runPanicly, temporaryDirectory, type Panicly } from '../support/binary.ts';
import { fullDisk, type FullDiskReport, type Obstacle } from '../support/full-disk.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { FORWARDS_EARLY } from './kit/forwards-early.ts';
import { Injection, workersOf } from './kit/strace.ts';
import { sized, type Row, type Size } from './row.ts';
import type { Line } from './table.ts';

/** A file system that turned read-only, and a ledger that another process locked. */
export const stuck: Row = {
  name: 'stuck',
  needs: [{ program: 'strace', debianPackage: 'strace' }],
  limitMinutes: { full: 3, quick: 1, bite: 1 },
  bites: [FORWARDS_EARLY],
  run: attack,
};

const HEALTHZ_MS = 100;
/** Longer than SQLite waits for a lock by itself, so that it gives up in between. */
const LONG_LOCK_MS = 6_500;
const READ_ONLY = { calls: 'pwrite64,write,ftruncate,fsync,fdatasync,unlink', error: 'EROFS', nth: 1, isLasting: true } as const;

/** Every write of the ledger's threads fails as on a file system that is read-only. */
class ReadOnly implements Obstacle {
  readonly path = temporaryDirectory();
  #injection: Injection | null = null;

  async fill(panicly: Panicly): Promise<void> {
    this.#injection = await Injection.into(workersOf(panicly.pid), READ_ONLY);
  }

  async free(): Promise<void> {
    await this.#injection?.end();
  }
}

/** This process writes to the ledger and does not come to an end. */
class Locked implements Obstacle {
  readonly path = temporaryDirectory();
  #db: Database | null = null;

  constructor(readonly holdMs: number) {}

  fill({ dataDir }: Panicly): void {
    this.#db = new Database(join(dataDir, 'panicly.db'));
    this.#db.run('PRAGMA busy_timeout=5000');
    this.#db.run('BEGIN IMMEDIATE');
  }

  free(): void {
    this.#db?.run('ROLLBACK');
    this.#db?.close();
  }
}

async function attack(size: Size): Promise<Line> {
  const times = sized(size, { full: 5, quick: 1, bite: 1 });
  const findings: string[] = [];
  const slowest = { refusalMs: 0, healthzMs: 0, healedMs: 0 };
  let refusals = 0;
  const look = (name: string, report: FullDiskReport): void => {
    refusals += report.refused.length;
    slowest.refusalMs = Math.max(slowest.refusalMs, ...report.refused.map(({ tookMs }) => tookMs));
    slowest.healthzMs = Math.max(slowest.healthzMs, ...report.healthzMs);
    slowest.healedMs = Math.max(slowest.healedMs, report.healedMs);
    findings.push(...report.findings.map((finding) => `${name}: ${finding}`));
    if (report.answeredWhileFull > 0) findings.push(`${name}: ${report.answeredWhileFull} requests were forwarded meanwhile`);
  };
  for (let time = 0; time < times; time++) {
    look('read-only', await fullDisk(new ReadOnly()));
    look('locked', await fullDisk(new Locked(1_500)));
  }
  if (size === 'full') look('locked for long', await fullDisk(new Locked(LONG_LOCK_MS)));
  if (slowest.healthzMs > HEALTHZ_MS) findings.push(`/healthz took ${Math.round(slowest.healthzMs)} ms`);
  findings.push(...(await startsOnReadOnly()));
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  return {
    attack: `a ledger that is read-only, and one that another process locked, ${times} times each; a start on a read-only disk`,
    goal: '503, nothing forwarded, /healthz within 100 ms, heals by itself; the start says why it cannot',
    reached: `${refusals} refusals, the slowest ${ms(slowest.refusalMs)}; /healthz at most ${ms(slowest.healthzMs)}; served again after at most ${ms(slowest.healedMs)}`,
    findings,
  };
}

/** A start on a file system that is mounted read-only: with and without a ledger on it. */
async function startsOnReadOnly(): Promise<string[]> {
  const disk = SmallDisk.mount(16);
  if (typeof disk === 'string') return [];
  try {
    const dataDir = join(disk.path, 'data');
    const made = await runPanicly(['init', '--json', '--data', dataDir]);
    if (made.code !== 0) return [`init: ${made.stderr}`];
    if (Bun.spawnSync(['mount', '-o', 'remount,ro', disk.path]).exitCode !== 0) return ['the disk cannot be made read-only'];
    const findings: string[] = [];
    for (const data of [dataDir, join(disk.path, 'other')]) {
      const { code, stderr } = await runPanicly(['serve', '--port', '0', '--data', data]);
      if (code !== 2 || !/read-?only|EROFS|READONLY|cannot be/i.test(stderr))
        findings.push(`a start on a read-only disk ended with ${code}: ${stderr.slice(0, 300)}`);
    }
    return findings;
  } finally {
    disk.unmount();
  }
}
