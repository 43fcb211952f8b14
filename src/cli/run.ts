import { Command, CommanderError } from 'commander';
import { cliEnvironment, ConfigProblem, type CliEnvironment } from '../config.ts';
import { VERSION } from '../version.ts';
import { Client } from './client.ts';
import { addAlertCommands } from './alerts.ts';
import { addBackupCommands } from './backup.ts';
import { addApplyCommand } from './apply.ts';
import { addCompletionCommand } from './completion.ts';
import { withExamples, type CliContext } from './context.ts';
import { addDoctorCommand } from './doctor.ts';
import { addEvidenceCommands } from './evidence.ts';
import { addExportConfigurationCommand } from './export-configuration.ts';
import type { CliHandlers } from './handlers.ts';
import { addKeyCommands } from './keys.ts';
import { addLedgerCommands } from './ledger.ts';
import { inLook, PLAIN } from './look.ts';
import { addMasterKeyCommands } from './master-key.ts';
import { addOperatorCommands } from './operators.ts';
import { printable, TERMINAL, type Io } from './output.ts';
import { addPolicyCommands } from './policy.ts';
import { addPriceCommands } from './prices.ts';
import { CliProblem } from './problem.ts';
import { addProjectCommands } from './projects.ts';
import { addProviderCommands } from './providers.ts';
import { addRequestCommands } from './requests.ts';
import { addServeCommands } from './serve.ts';
import { addReportCommand } from './report.ts';
import { addRestoreCommand } from './restore.ts';
import { addSentryCommands } from './sentry.ts';
import { addStatusCommand } from './status.ts';
import { addCreditCommands, addWorkspaceCommands } from './workspaces.ts';

/** What tests put in place of the process's own. */
export interface CliSurroundings {
  readonly io?: Io;
  readonly environment?: () => CliEnvironment;
}

/**
 * Runs one command. `argv` is without program and script. Resolves to the exit code: 0, 1 when the answer is no,
 * 2 when the command was wrong or the server not reached; then exactly one line says why.
 */
export async function runCli(argv: readonly string[], handlers: CliHandlers, surroundings: CliSurroundings = {}): Promise<number> {
  const io = surroundings.io ?? TERMINAL;
  const environment = surroundings.environment ?? cliEnvironment;
  const commands = argv[0] === 'serve' ? [addServeCommands] : COMMANDS;
  const program = buildProgram({ io, handlers, client: () => new Client(environment()) }, commands);
  try {
    await inLook(io.look ?? PLAIN, () => program.parseAsync(argv.length === 0 ? ['--help'] : [...argv], { from: 'user' }));
    return 0;
  } catch (error) {
    return exitCodeOf(error, io);
  }
}

/** The whole tree of commands; with `commands` only a part of it. */
export function buildProgram(context: CliContext, commands: readonly AddCommands[] = COMMANDS): Command {
  const program = new Command('panicly')
    .description('An AI spend firewall between your applications and model providers.')
    .version(VERSION, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    // What stands behind a verb is the verb's: `usage` has options and a verb `export` with the same ones.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: context.io.out, writeErr: context.io.err, outputError: () => undefined });
  for (const add of commands) add(program, context);
  withExamples(program, ...FIRST_STEPS);
  return program.addHelpText('after', ENVIRONMENT_HELP);
}

type AddCommands = (program: Command, context: CliContext) => void;

/** In the order of the help. A server does not wait for those of the client to be made. */
const COMMANDS: readonly AddCommands[] = [
  addServeCommands,
  addStatusCommand,
  addDoctorCommand,
  addSentryCommands,
  addRequestCommands,
  addEvidenceCommands,
  addReportCommand,
  addPolicyCommands,
  addApplyCommand,
  addExportConfigurationCommand,
  addWorkspaceCommands,
  addCreditCommands,
  addProjectCommands,
  addKeyCommands,
  addProviderCommands,
  addPriceCommands,
  addOperatorCommands,
  addMasterKeyCommands,
  addAlertCommands,
  addLedgerCommands,
  addBackupCommands,
  addRestoreCommand,
  addCompletionCommand,
];

const FIRST_STEPS = [
  'panicly serve',
  'panicly providers add --kind openai --api-key - < key.txt',
  'panicly keys create --project default --name backend',
  'panicly policy get > policy.json',
  'panicly requests list --decision deny',
];

const ENVIRONMENT_HELP = `Each command has --help with examples, and --json.
The server is found by PANICLY_URL (default http://127.0.0.1:3000). The operator token comes from PANICLY_TOKEN,
or from the file operator.token in PANICLY_DATA (default ./panicly-data).
`;

function exitCodeOf(error: unknown, io: Io): number {
  if (error instanceof CommanderError) return commanderExitCode(error, io);
  if (error instanceof CliProblem) return complain(io, error.message, error.exitCode);
  if (error instanceof ConfigProblem) return complain(io, error.message, 2);
  throw error;
}

function commanderExitCode(error: CommanderError, io: Io): number {
  if (error.exitCode === 0) return 0;
  // A noun without its verb has printed the help of the noun.
  if (error.code === 'commander.help') return 2;
  return complain(io, `${error.message.replace(/^error: /, '')} (see: panicly --help)`, 2);
}

function complain(io: Io, message: string, exitCode: number): number {
  io.err(`panicly: ${printable(message.replaceAll(/\s*\n\s*/g, ' '))}\n`);
  return exitCode;
}
