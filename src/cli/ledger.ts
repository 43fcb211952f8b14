import type { Command } from 'commander';
import type { RestoreAnswerJson } from '../http/schemas/operator.ts';
import { show, withJson, type CliContext, type CommonOptions } from './context.ts';
import { addLedgerKeepCommands } from './ledger-keep.ts';

/** `ledger`: proof, pruning, and what an operator has to confirm. */
export function addLedgerCommands(program: Command, context: CliContext): void {
  const { io, client } = context;
  const ledger = program.command('ledger').description('the ledger: what was decided and what it cost');
  addLedgerKeepCommands(ledger, context);
  withJson(
    ledger.command('confirm-restore').description('say that the restored ledger is the one to go on with: requests pass again'),
    'panicly ledger confirm-restore',
  ).action(async (options: CommonOptions) => {
    const answer = await client().post<RestoreAnswerJson>('/ledger/confirm-restore');
    show(io, options, answer, ({ workspaces }) => `Sentry Mode has ended for ${workspaces.join(', ')}\n`);
  });
  withJson(
    ledger.command('confirm-clock').description('say that the clock is right after it jumped: requests are admitted again'),
    'panicly ledger confirm-clock',
  ).action(async (options: CommonOptions) => {
    show(io, options, await client().post<{ now: string }>('/ledger/confirm-clock'), ({ now }) => `it is ${now}\n`);
  });
}
