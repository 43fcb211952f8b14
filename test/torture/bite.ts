import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apply } from '../mutations/apply.ts';
import { runApart } from './apart.ts';
import type { Bite, Edit, Row } from './row.ts';

const ROOT = join(import.meta.dir, '../..');
const COPIED = ['src', 'db', 'test', 'package.json', 'tsconfig.json', 'bunfig.toml', 'bun.lock', 'Makefile'];

/** Plants each defect of each row, and says whether the row sees it. False when one is not seen. */
export async function biteAll(rows: readonly Row[]): Promise<boolean> {
  let isWell = true;
  for (const row of rows) {
    for (const bite of row.bites) {
      const missed = await missedBy(row, bite).catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
      console.log(missed === null ? `bites          ${row.name}: ${bite.name}` : `DOES NOT BITE  ${row.name}: ${bite.name} (${missed})`);
      if (missed !== null) isWell = false;
    }
    if (row.bites.length === 0) console.log(`checks itself  ${row.name}`);
  }
  return isWell;
}

/** Null when the row sees the defect, else why it does not. */
async function missedBy(row: Row, bite: Bite): Promise<string | null> {
  const copy = mkdtempSync(join(tmpdir(), 'panicly-bite-'));
  try {
    if (bite.edits !== undefined) await buildWith(copy, bite.edits);
    const planted = bite.edits === undefined ? {} : { PANICLY_BINARY: join(copy, 'dist/panicly') };
    // The row runs from the copy as well: some rows use the sources themselves.
    const line = await runApart(row, 'bite', { root: bite.edits === undefined ? ROOT : copy, env: { ...bite.env, ...planted } });
    if (line.broken === true) return line.findings.join('; ');
    if (line.findings.length === 0) return line.skipped ?? 'the row is green';
    console.error(`  ${row.name}: ${line.findings.length} findings, the first: ${line.findings[0]!.slice(0, 300)}`);
    return null;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** Makes a copy of the project with the defect in it, and its binary. */
async function buildWith(copy: string, edits: readonly Edit[]): Promise<void> {
  for (const name of COPIED) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  for (const edit of edits) apply(copy, { ...edit, name: edit.file, tests: [] });
  // What is installed is taken as it is: make must not install anything through the link.
  const command = ['make', '-s', '-o', 'node_modules/.installed', 'build'];
  const build = Bun.spawn(command, { cwd: copy, stdout: 'pipe', stderr: 'pipe' });
  const said = (await Promise.all([new Response(build.stdout).text(), new Response(build.stderr).text()])).join('');
  if ((await build.exited) !== 0) throw new Error(`the defect does not build: ${said.slice(-300)}`);
}
