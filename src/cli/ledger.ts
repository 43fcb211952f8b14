import type { Command } from 'commander';
import type { ConfigFlags } from '../config.ts';
import type { LedgerReportJson } from '../http/schemas/operator.ts';
import { show, withJson, type CliContext, type CommonOptions } from './context.ts';
import type { VerifyResult } from './handlers.ts';
import { facts } from './output.ts';
import { CliProblem } from './problem.ts';
import { withDirectory } from './serve.ts';

interface VerifyOptions extends ConfigFlags, CommonOptions {
  readonly server?: true;
}

/** `ledger verify` and `ledger confirm-clock`. */
export function addLedgerCommands(program: Command, { io, client, handlers }: CliContext): void {
  const ledger = program.command('ledger').description('the ledger: what was decided and what it cost');
  const verify = withDirectory(ledger.command('verify').description('recompute all balances from the rows and compare')).option(
    '--server',
    'ask the running server instead of reading a data directory',
  );
  withJson(verify, 'panicly ledger verify --data /var/lib/panicly', 'panicly ledger verify --server').action(
    async (options: VerifyOptions) => {
      const result = options.server ? await client().getSlowly<LedgerReportJson>('/ledger/verify') : await handlers.verify(options);
      show(io, options, result, verifyText);
      if (!result.ok) throw new CliProblem('the ledger does not add up', 1);
    },
  );
  withJson(
    ledger.command('confirm-clock').description('say that the clock is right after it jumped: requests are admitted again'),
    'panicly ledger confirm-clock',
  ).action(async (options: CommonOptions) => {
    show(io, options, await client().post<{ now: string }>('/ledger/confirm-clock'), ({ now }) => `it is ${now}\n`);
  });
}

function verifyText(result: VerifyResult): string {
  const counts = facts([
    ['decisions', result.decisions],
    ['settlements', result.settlements],
  ]);
  return counts + (result.ok ? 'every balance equals its rows\n' : result.problems.map((problem) => `${problem}\n`).join(''));
}
