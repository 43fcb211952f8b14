import type { Command } from 'commander';
import type { ConfigFlags } from '../config.ts';
import { show, withJson, withNotes, type CliContext, type DestroyingOptions } from './context.ts';
import type { RestoreResult } from './handlers.ts';
import { facts } from './output.ts';
import { withDirectory } from './serve.ts';

interface RestoreOptions extends ConfigFlags, DestroyingOptions {}

/** `restore`: works on a data directory that no server uses. */
export function addRestoreCommand(program: Command, { io, handlers }: CliContext): void {
  const restore = withDirectory(
    program
      .command('restore')
      .description('put a backup in the place of the ledger of a data directory; the server must be stopped')
      .argument('<file>', 'the backup'),
  ).option('--yes', 'move a ledger that is there aside (it is never deleted)');
  withJson(restore, 'panicly restore panicly.db --data /var/lib/panicly', 'panicly restore panicly.db --data /var/lib/panicly --yes');
  withNotes(restore, 'Every workspace then starts in Sentry Mode, until you say: panicly ledger confirm-restore').action(
    async (file: string, options: RestoreOptions) => {
      show(io, options, await handlers.restore(options, file, options.yes === true), restoreText);
    },
  );
}

function restoreText(made: RestoreResult): string {
  const told = facts([
    ['restored', made.data],
    ['decisions', made.decisions],
    ['settlements', made.settlements],
    ['up to seq', made.seq],
    ['last row of', made.ledger_at],
    ['manifest', made.manifest ? 'says the same' : 'there was none beside the backup'],
    ...(made.before === null ? [] : ([['ledger of before', made.before]] as const)),
    ...made.notes.map((note) => ['note', note] as const),
  ]);
  const key = made.needs_master_key
    ? 'Bring the master key of this ledger (master.key in the data directory, or PANICLY_MASTER_KEY) before you start the server.\n'
    : '';
  return `${told}
Operators and their tokens are those of the backup.
${key}Nobody knows what was spent since ${made.ledger_at}, so the next start switches Sentry Mode on for every workspace.
When you have looked (panicly status), let requests pass again with: panicly ledger confirm-restore
`;
}
