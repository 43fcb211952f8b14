import type { Command } from 'commander';
import type { SentryStateJson } from '../http/schemas/operator.ts';
import { show, withJson, type CliContext, type CommonOptions } from './context.ts';
import { findOwner, type OwnerOptions } from './find.ts';

/** `sentry on` and `sentry off`: the emergency stop. Asks nothing: who needs it is in a hurry. */
export function addSentryCommands(program: Command, { io, client }: CliContext): void {
  const sentry = program.command('sentry').description('Sentry Mode: the emergency stop of a project or workspace');
  for (const [verb, enabled, description] of [
    ['on', true, 'refuse every request, and cut open streams'],
    ['off', false, 'let requests pass again'],
  ] as const) {
    const command = sentry
      .command(verb)
      .description(description)
      .option('--project <name>', 'name or id of the project (default: the only one)')
      .option('--workspace <name>', 'the whole workspace, name or id');
    withJson(command, `panicly sentry ${verb} --project web`, `panicly sentry ${verb} --workspace default`).action(
      async (options: OwnerOptions & CommonOptions) => {
        const { path, title } = await findOwner(client(), options);
        const state = await client().put<SentryStateJson>(`${path}/sentry`, { enabled });
        show(io, options, state, () => `Sentry Mode is ${verb} for ${title}\n`);
      },
    );
  }
}
