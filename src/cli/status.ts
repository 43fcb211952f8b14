import type { Command } from 'commander';
import { withDirectory } from './serve.ts';
import { show, withJson, type CliContext, type CommonOptions } from './context.ts';
import type { ConfigFlags } from '../config.ts';
import { facts } from './output.ts';
import type { VerifyResult } from './handlers.ts';
import { CliProblem } from './problem.ts';

/** `status` and `ledger verify`: is all well? */
export function addStatusCommands(program: Command, { io, client, handlers }: CliContext): void {
  withJson(program.command('status').description('ask the server whether it can serve'), 'panicly status').action(
    async (options: CommonOptions) => {
      const readiness = await client().readiness();
      const parts = Object.entries(readiness.parts).map(([name, ready]) => [name, ready ? 'ok' : 'not ok'] as const);
      show(io, options, readiness, () => facts([['status', readiness.status], ...parts]));
      if (readiness.status !== 'ready') throw new CliProblem('the server cannot serve right now', 1);
    },
  );
  const ledger = program.command('ledger').description('the ledger in a data directory');
  const verify = withDirectory(ledger.command('verify').description('recompute all balances from the rows and compare'));
  withJson(verify, 'panicly ledger verify --data /var/lib/panicly').action(async (options: ConfigFlags & CommonOptions) => {
    const result = await handlers.verify(options);
    show(io, options, result, verifyText);
    if (!result.ok) throw new CliProblem('the ledger does not add up', 1);
  });
}

function verifyText(result: VerifyResult): string {
  const counts = facts([
    ['decisions', result.decisions],
    ['settlements', result.settlements],
  ]);
  return counts + (result.ok ? 'every balance equals its rows\n' : result.problems.map((problem) => `${problem}\n`).join(''));
}
