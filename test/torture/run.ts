import { biteAll } from './bite.ts';
import { runApart } from './apart.ts';
import type { Row, Size } from './row.ts';
import { ROWS } from './rows.ts';
import { printed, summary, wordOf, type TimedLine } from './table.ts';

/**
 * Every attack: `bun test/torture/run.ts [--quick | --bite] [NAME ...]`. Prints one table; the exit code is 1 when a goal is missed.
 * With `--bite` each row is tried on planted defects, and the exit code is 1 when one of them is not seen.
 */
const words = Bun.argv.slice(2);
const flags = new Set(words.filter((word) => word.startsWith('--')));
const names = words.filter((word) => !word.startsWith('--'));
const size: Size = flags.has('--quick') || Boolean(Bun.env['QUICK']) ? 'quick' : 'full';
const unknownFlag = [...flags].find((flag) => flag !== '--quick' && flag !== '--bite');
const unknown = names.filter((name) => !ROWS.some((row) => row.name === name));
if (unknownFlag !== undefined || unknown.length > 0) {
  console.error(`no such attack: ${unknownFlag ?? unknown.join(', ')} (there are ${ROWS.map(({ name }) => name).join(', ')})`);
  process.exit(2);
}
const chosen = names.length === 0 ? ROWS : ROWS.filter(({ name }) => names.includes(name));
const isWell = flags.has('--bite') || Boolean(Bun.env['BITE']) ? await biteAll(chosen) : await attackAll(chosen);
process.exit(isWell ? 0 : 1);

/** One row after the other: they measure, so nothing may run beside them. */
async function attackAll(rows: readonly Row[]): Promise<boolean> {
  const lines: TimedLine[] = [];
  for (const row of rows) {
    let line = await runApart(row, size);
    console.log(printed(line));
    if (size === 'quick' && wordOf(line) === 'FAILED') {
      console.log(`a row in small may miss its goal on a machine that is busy with other things: ${row.name} is tried once more`);
      line = { ...(await runApart(row, size)), firstTry: line.findings };
      console.log(printed(line));
    }
    lines.push(line);
  }
  console.log(summary(lines, size));
  return lines.every((line) => wordOf(line) !== 'FAILED');
}
