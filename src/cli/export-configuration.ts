import type { Command } from 'commander';
import type { ConfigurationJson } from '../http/schemas/operator.ts';
import { withJson, type CliContext, type CommonOptions } from './context.ts';
import { json } from './output.ts';
import { tomlText } from './toml-write.ts';

interface ExportOptions extends CommonOptions {
  readonly full?: true;
}

const HEAD = `# What operators manage on this server. "panicly apply -f FILE" brings a server to it; "panicly serve --config FILE" reads
# [server], [limits] and the like from the same file, which this export does not know.
# No secret is in here: "stored" leaves one that the server keeps as it is. What a policy leaves out takes its default.

`;

/** `export`: a file that `apply` takes. */
export function addExportConfigurationCommand(program: Command, { io, client }: CliContext): void {
  withJson(
    program
      .command('export')
      .description('print what "panicly apply" takes: workspaces, projects, policies, providers, prices and alerts')
      .option('--full', 'write out every default of a policy'),
    'panicly export > panicly.toml',
    'panicly export --json',
  ).action(async (options: ExportOptions) => {
    const { configuration } = await client().get<ConfigurationJson>('/configuration', { full: options.full ? 'true' : undefined });
    io.out(options.json ? json(configuration) : HEAD + tomlText(configuration));
  });
}
