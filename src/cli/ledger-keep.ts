import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { ConfigFlags } from '../config.ts';
import type { LedgerHeadJson, LedgerReportJson, PruningJson, PruningStateJson } from '../http/schemas/operator.ts';
import type { Client } from './client.ts';
import { confirm, show, withJson, withYes, type CliContext, type CommonOptions, type DestroyingOptions } from './context.ts';
import type { VerifyResult } from './handlers.ts';
import { facts, printable } from './output.ts';
import { CliProblem } from './problem.ts';
import { withProgress, type Progress } from './progress.ts';
import { withDirectory } from './serve.ts';

interface VerifyOptions extends ConfigFlags, CommonOptions {
  readonly server?: true;
  readonly anchor?: string;
}

interface PruneOptions extends DestroyingOptions {
  readonly olderThan: string;
}

const LOOK_MS = 500;

/** `ledger verify`, `ledger head` and `ledger prune`. */
export function addLedgerKeepCommands(ledger: Command, { io, client, handlers }: CliContext): void {
  const verify = withDirectory(ledger.command('verify').description('prove every row by the chain, and recompute all balances'))
    .option('--server', 'ask the running server instead of reading a data directory')
    .option('--anchor <file or line>', 'what "ledger head" printed before: the ledger must still have it');
  withJson(verify, 'panicly ledger verify --data /var/lib/panicly', 'panicly ledger verify --server --anchor heads/2026-11-22.txt').action(
    async (options: VerifyOptions) => {
      const anchor = options.anchor === undefined ? undefined : lineOf(options.anchor);
      const result = options.server
        ? await client().getSlowly<LedgerReportJson>('/ledger/verify', { anchor })
        : await withProgress(io, 'verify', (at) => handlers.verify(options, anchor, at));
      show(io, options, result, verifyText);
      if (!result.ok) throw new CliProblem('the ledger does not add up', 1);
    },
  );
  withJson(
    ledger.command('head').description('print the end of the chain, to keep elsewhere: see "ledger verify --anchor"'),
    'panicly ledger head > heads/2026-11-22.txt',
  ).action(async (options: CommonOptions) => {
    show(io, options, await client().get<LedgerHeadJson>('/ledger/head'), ({ head }) => `${head}\n`);
  });
  withJson(
    withYes(
      ledger
        .command('prune')
        .description('let decisions go that are older than so many days; usage, balances and audit stay')
        .requiredOption('--older-than <days>', 'such as 90d; at least 33d'),
    ),
    'panicly ledger prune --older-than 90d --yes',
  ).action(async (options: PruneOptions) => {
    const days = daysOf(options.olderThan);
    await confirm(io, options, `delete every decision that is older than ${days} days`);
    await client().post<PruningJson>('/ledger/prune', { older_than_days: days });
    const run = await withProgress(io, 'prune', (at) => ended(client(), at));
    show(io, options, run, pruneText);
    if (run.problem !== null) throw new CliProblem(`pruning ended early: ${run.problem}`, 1);
  });
}

/** A file with the line, or the line itself. */
function lineOf(anchor: string): string {
  return existsSync(anchor) ? readFileSync(anchor, 'utf8').trim() : anchor;
}

function daysOf(text: string): number {
  const days = Number(/^(\d{1,5})d?$/.exec(text)?.[1] ?? 0);
  if (days < 1) throw new CliProblem(`--older-than takes days, such as 90d, not "${printable(text)}"`);
  return days;
}

async function ended(client: Client, at: Progress['at']): Promise<PruningJson> {
  for (;;) {
    const { run } = await client.get<PruningStateJson>('/ledger/prune');
    if (run === null) throw new CliProblem('the server was started anew while it pruned: repeat the command', 1);
    if (!run.running) return run;
    at(run.decisions, null);
    await Bun.sleep(LOOK_MS);
  }
}

function verifyText(result: VerifyResult): string {
  const counts = facts([
    ['decisions', result.decisions],
    ['settlements', result.settlements],
    ['head', result.head],
  ]);
  const notes = result.notes.map((note) => `note: ${note}\n`).join('');
  const verdict = result.ok
    ? 'every row is as it was written, every balance equals its rows\n'
    : result.problems.map((problem) => `${printable(problem)}\n`).join('');
  return counts + notes + verdict;
}

function pruneText({ decisions, settlements, corrections, before }: PruningJson): string {
  return facts([
    ['before', before],
    ['decisions', decisions],
    ['settlements', settlements],
    ['corrections', corrections],
  ]);
}
