import type { Command } from 'commander';
import type { ConfigFlags } from '../config.ts';
import { withExamples, withJson, type CliContext, type CommonOptions } from './context.ts';
import type { InitResult } from './handlers.ts';
import { facts, json } from './output.ts';
import { CliProblem } from './problem.ts';

/** `serve` and `init`: what works on a data directory of this machine. */
export function addServeCommands(program: Command, { io, handlers }: CliContext): void {
  const serve = withDirectory(program.command('serve').description('run the gateway'))
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--port <number>', 'port to listen on, 0 for any (default: 3000)')
    .action(async (flags: ConfigFlags) => await handlers.serve(flags));
  withExamples(serve, 'panicly serve', 'panicly serve --data /var/lib/panicly --port 8080', 'panicly serve --config panicly.toml');
  const init = withDirectory(program.command('init').description('make workspace, project and keys without serving'));
  withJson(init, 'panicly init', 'panicly init --data /var/lib/panicly --json').action(async (flags: ConfigFlags & CommonOptions) => {
    const made = await handlers.init(flags);
    if (made === null)
      throw new CliProblem(
        'this data directory has its workspace already; keys are shown once, make new ones with: panicly keys create',
        1,
      );
    io.out(flags.json ? json(made) : initText(made));
  });
}

/** Adds the flags that name a data directory. */
export function withDirectory(command: Command): Command {
  return command
    .option('--data <directory>', 'data directory (default: ./panicly-data)')
    .option('--config <file>', 'configuration file (default: none)');
}

function initText(made: InitResult): string {
  const pairs = Object.entries(made).map(([name, value]) => [name.replaceAll('_', ' '), value as string] as const);
  return `${facts(pairs)}\nKeep these: they are shown only now.\n`;
}
