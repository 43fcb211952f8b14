import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseTrace, TRACED, type FileOp } from './trace.ts';

const LONGEST_STRING = 1_000_000;
const FILES = /^panicly\.db(?:-wal|-journal)?$/;

/** Lets the driver work under strace and returns what it did to the ledger's files; paths of the files are their names. */
export async function record(sync: 'FULL' | 'NORMAL'): Promise<FileOp[]> {
  const root = mkdtempSync(join(tmpdir(), 'panicly-power-cut-'));
  try {
    const [dataDir, marks, trace] = ['data', 'marks', 'trace'].map((name) => join(root, name)) as [string, string, string];
    mkdirSync(dataDir);
    const driver = [process.execPath, join(import.meta.dir, 'driver.ts'), dataDir, marks];
    const options = ['-f', '-y', '-xx', '-s', String(LONGEST_STRING), '-e', `trace=${TRACED}`, '-o', trace];
    const child = Bun.spawn(['strace', ...options, ...driver], {
      env: { ...Bun.env, POWER_CUT_SYNC: sync },
      stdout: 'ignore',
      stderr: 'pipe',
    });
    const said = await new Response(child.stderr).text();
    await child.exited;
    const isOurs = (path: string): boolean => path === dataDir || (path.startsWith(dataDir) && FILES.test(basename(path)));
    const ops = parseTrace(readFileSync(trace, 'utf8'), isOurs, marks);
    if (!ops.some((op) => op.kind === 'mark')) throw new Error(`the driver promised nothing: ${said}`);
    return ops.map((op) => ('path' in op ? { ...op, path: basename(op.path) } : op));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
