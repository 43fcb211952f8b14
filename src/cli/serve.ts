import type { Command } from 'commander';
import { FILE_FIELDS, type ConfigFlags } from '../config.ts';
import { withExamples, withJson, withNotes, type CliContext, type CommonOptions } from './context.ts';
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
  withNotes(serve, ...SETTINGS);
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

/** The fields of one table in a line of its own. */
const FIELDS = [...Map.groupBy(FILE_FIELDS, (field) => field.split('.')[0]!)].map(
  ([table, fields]) => `  [${table}] ${fields.map((field) => field.slice(table.length + 1)).join(', ')}`,
);

const SETTINGS = [
  'Environment: PANICLY_DATA, PANICLY_HOST, PANICLY_PORT and PANICLY_CONFIG stand for the flags.',
  '  PANICLY_MASTER_KEY             32 bytes in base64, seals provider keys (default: master.key in the data directory)',
  '  PANICLY_MASTER_KEY_NEW         the key that replaces it',
  '  PANICLY_OPERATOR_TOKEN         the first operator token (default: made, and left in operator.token)',
  '  PANICLY_METRICS_TOKEN          opens /metrics and nothing else',
  '  PANICLY_ALLOW_HTTP_UPSTREAM=1  plain http to providers on this machine',
  '  PANICLY_LOG                    error, warn, info or debug',
  '  OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS, OTEL_SERVICE_NAME   traces',
  '  OPENAI_API_KEY, OPENROUTER_API_KEY, ANTHROPIC_API_KEY   become providers of the first project at the first start',
  '',
  'Tables and fields of the configuration file, in TOML:',
  ...FIELDS,
  'Flags beat the environment, the environment beats the file. SIGHUP reads the file again.',
];

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
