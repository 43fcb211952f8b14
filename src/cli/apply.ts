import type { Command } from 'commander';
import type { ConfigurationPlanJson } from '../http/schemas/operator.ts';
import { confirmText, planText } from './apply-text.ts';
import { placed, readConfigurationFile, type ConfigurationDocument } from './configuration-file.ts';
import type { Client, Query } from './client.ts';
import { confirm, withJson, withYes, type CliContext, type DestroyingOptions } from './context.ts';
import { json, type Io } from './output.ts';
import { CliProblem } from './problem.ts';

interface ApplyOptions extends DestroyingOptions {
  readonly file: string;
  readonly dryRun?: true;
  readonly prune?: true;
  readonly exitCode?: true;
}

const DETAILS = `A list that the file leaves out (workspaces, projects, providers of a project, prices, alerts) says nothing: what there is stays.
Up to 100 writes are made in one transaction, more in parts of 100. An error says how much was made, and the same command can be
repeated: a second time does only what is left.
`;

/** `apply`: brings a server to what a file says. */
export function addApplyCommand(program: Command, { io, client }: CliContext): void {
  const command = withYes(
    program
      .command('apply')
      .description('bring workspaces, projects, policies, providers, prices and alerts to what a file says')
      .requiredOption('-f, --file <file>', 'TOML or JSON; - reads the standard input')
      .option('--dry-run', 'print the plan and change nothing')
      .option('--exit-code', 'with --dry-run: exit code 1 when there is something to do')
      .option('--prune', 'remove what the file does not name of the kinds that it names'),
  );
  withJson(command, ...EXAMPLES)
    .addHelpText('after', DETAILS)
    .action(async (options: ApplyOptions) => {
      if (options.exitCode && !options.dryRun) throw new CliProblem('--exit-code is for --dry-run');
      const document = await readConfigurationFile(io, options.file);
      if (options.dryRun) await showPlan(io, client(), document, options);
      else await apply(io, client(), document, options);
    });
}

const EXAMPLES = [
  'panicly apply -f panicly.toml --dry-run',
  'panicly apply -f panicly.toml',
  'panicly export | panicly apply -f - --dry-run --exit-code',
];

async function showPlan(io: Io, client: Client, document: ConfigurationDocument, options: ApplyOptions): Promise<void> {
  const plan = await planOf(client, document, options);
  io.out(options.json ? json(plan) : planText(plan));
  if (options.exitCode && plan.changes.length > 0) throw new CliProblem('the server differs from the file', 1);
}

async function apply(io: Io, client: Client, document: ConfigurationDocument, options: ApplyOptions): Promise<void> {
  const plan = await planOf(client, document, options);
  if (!options.json) io.out(planText(plan));
  if (plan.changes.length > 0) await mayGoOn(io, plan, options);
  const applied = plan.changes.length === 0 ? plan : await send(client, document, { ...queryOf(options), confirm: 'true' }, plan.state);
  if (options.json) io.out(json(applied));
  else if (plan.changes.length > 0) io.out('Applied.\n');
}

/** A person is always asked; a program only has to say that it means it where something is destroyed. */
async function mayGoOn(io: Io, plan: ConfigurationPlanJson, options: ApplyOptions): Promise<void> {
  const destroys = confirmText(plan);
  const asker = options.json ? { ...io, isInteractive: false } : io;
  if (destroys !== null || asker.isInteractive) await confirm(asker, options, destroys ?? 'make these changes');
}

function planOf(client: Client, document: ConfigurationDocument, options: ApplyOptions): Promise<ConfigurationPlanJson> {
  return send(client, document, { ...queryOf(options), dry_run: 'true' }, null);
}

function queryOf({ prune }: ApplyOptions): Query {
  return { prune: prune ? 'true' : undefined };
}

async function send(client: Client, document: ConfigurationDocument, query: Query, state: string | null): Promise<ConfigurationPlanJson> {
  try {
    return await client.put<ConfigurationPlanJson>(
      '/configuration',
      document.applied,
      query,
      state === null ? {} : { 'if-match': `"${state}"` },
    );
  } catch (error) {
    throw placed(error, document);
  }
}
