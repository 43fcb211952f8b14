import { join } from 'node:path';
import type { Row, Size } from './row.ts';
import type { Line, TimedLine } from './table.ts';

const ROOT = join(import.meta.dir, '../..');
const MS_PER_MINUTE = 60_000;
const GRACE_MS = 5_000;

/** The mark before the line that a row leaves on its standard output. */
export const RESULT_MARK = 'torture-line: ';

/** Where and with what a row runs. */
export interface Place {
  /** The project, or a copy of it. */
  readonly root?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a row in a process of its own, within its time; what that process started is ended with it. */
export async function runApart(row: Row, size: Size, { root = ROOT, env = {} }: Place = {}): Promise<TimedLine> {
  const missing = (row.needs ?? []).filter(({ program }) => Bun.which(program) === null);
  if (missing.length > 0) return { ...brokenLine(missing.map(howToGet)), name: row.name, seconds: 0 };
  const fromMs = performance.now();
  const child = Bun.spawn([process.execPath, join(root, 'test/torture/one.ts'), row.name, size], {
    env: { ...Bun.env, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
  });
  let isLate = false;
  const deadline = setTimeout(() => {
    isLate = true;
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), GRACE_MS).unref();
  }, row.limitMinutes[size] * MS_PER_MINUTE);
  const forward = () => {
    child.kill('SIGTERM');
    process.exit(130);
  };
  process.once('SIGINT', forward).once('SIGTERM', forward);
  const text = await new Response(child.stdout).text();
  await child.exited;
  clearTimeout(deadline);
  process.off('SIGINT', forward).off('SIGTERM', forward);
  const seconds = (performance.now() - fromMs) / 1000;
  const line = isLate ? brokenLine([`it took more than ${row.limitMinutes[size]} minutes`]) : lineIn(text);
  return { ...line, name: row.name, seconds };
}

function lineIn(text: string): Line {
  const found = text.split('\n').find((line) => line.startsWith(RESULT_MARK));
  return found === undefined ? brokenLine(['it ended without a result']) : (JSON.parse(found.slice(RESULT_MARK.length)) as Line);
}

/** The line of a row that could not do its work. */
export function brokenLine(findings: readonly string[]): Line {
  return { attack: 'not made', goal: 'that it can be made', reached: '', findings, broken: true };
}

function howToGet({ program, debianPackage }: { readonly program: string; readonly debianPackage: string }): string {
  return `${program} is not installed: apt-get install ${debianPackage}`;
}
