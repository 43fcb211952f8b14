import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apply } from './apply.ts';
import { MUTATIONS } from './list.ts';
import type { Mutation } from './mutation.ts';

/**
 * Puts each deliberate defect into a copy of the project and runs the tests that must see it: `bun test/mutations/run.ts [WORD ...]`
 * (only the defects with such a word in their name). The exit code is 1 when a defect survives or can no longer be made.
 */
const ROOT = join(import.meta.dir, '../..');
const COPIED = ['src', 'db', 'test', 'package.json', 'tsconfig.json', 'bunfig.toml', 'bun.lock', 'Makefile', 'README.md'];
const LONGEST_RUN_MS = 120_000;
/** As in `make test`: a test that is only slow has seen nothing. */
const LONGEST_TEST_MS = 30_000;

interface Fate {
  readonly mutation: Mutation;
  /** The first test that went red; null for a survivor. */
  readonly killedBy: string | null;
  readonly why: string;
}

const words = Bun.argv.slice(2);
const chosen = MUTATIONS.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
const copy = mkdtempSync(join(tmpdir(), 'panicly-mutations-'));
process.exitCode = await run().finally(() => rmSync(copy, { recursive: true, force: true }));

async function run(): Promise<number> {
  for (const name of COPIED) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  const before = await redTest([...new Set(chosen.flatMap(({ tests }) => tests))]);
  if (before !== null) {
    console.error(`without any defect a test is red: ${before}`);
    return 1;
  }
  const fates: Fate[] = [];
  for (const mutation of chosen) {
    const fate = await fateOf(mutation);
    console.error(`${fate.killedBy === null ? 'SURVIVES' : 'killed  '}  ${mutation.name}`);
    fates.push(fate);
  }
  console.log(table(fates));
  const survivors = fates.filter(({ killedBy }) => killedBy === null).length;
  console.log(`${fates.length} defects, ${survivors} survive`);
  return survivors === 0 ? 0 : 1;
}

async function fateOf(mutation: Mutation): Promise<Fate> {
  try {
    const takeOut = apply(copy, mutation);
    const killedBy = await redTest(mutation.tests);
    takeOut();
    return { mutation, killedBy, why: 'no test goes red' };
  } catch (error) {
    return { mutation, killedBy: null, why: error instanceof Error ? error.message : String(error) };
  }
}

/** The first red test of some files, or null when all are green. Throws when they could not even be run. */
async function redTest(files: readonly string[]): Promise<string | null> {
  const child = Bun.spawn(
    [process.execPath, 'test', '--only-failures', '--bail=1', '--timeout', String(LONGEST_TEST_MS), ...files.map((file) => `./${file}`)],
    {
      cwd: copy,
      stdout: 'pipe',
      stderr: 'pipe',
      timeout: LONGEST_RUN_MS,
    },
  );
  const text = (await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])).join('');
  if ((await child.exited) === 0) return null;
  if (child.signalCode !== null) return 'tests that never end';
  const red = /^\(fail\) (.*?)(?: \[[\d.]+ ?m?s\])?$/m.exec(text)?.[1];
  if (red === undefined) throw new Error(`the tests do not run: ${text.slice(-300)}`);
  return `${/^(test\/\S+\.test\.ts):$/m.exec(text)?.[1] ?? files.join(' ')}: ${red}`;
}

function table(fates: readonly Fate[]): string {
  const width = Math.max(...fates.map(({ mutation }) => mutation.name.length));
  const lines = fates.map(({ mutation, killedBy, why }) => `${mutation.name.padEnd(width)} | ${killedBy ?? `SURVIVES: ${why}`}`);
  return [`${'defect'.padEnd(width)} | killed by`, ...lines].join('\n');
}
