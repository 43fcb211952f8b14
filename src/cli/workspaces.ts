import { Option, type Command } from 'commander';
import type { CreditAnswerJson, CreditGrantJson, WorkspaceJson } from '../http/schemas/operator.ts';
import { show, withJson, type CliContext, type CommonOptions } from './context.ts';
import { findWorkspace, inWorkspace } from './find.ts';
import { facts, table } from './output.ts';
import { CliProblem } from './problem.ts';

interface PlanOptions extends CommonOptions {
  readonly name?: string;
  readonly plan?: string;
  readonly includedRequests?: string;
}

interface GrantOptions extends CommonOptions {
  readonly workspace?: string;
  readonly requests: string;
  readonly note: string;
}

/** `workspaces list`, `create` and `set`. */
export function addWorkspaceCommands(program: Command, { io, client }: CliContext): void {
  const workspaces = program.command('workspaces').description('workspaces: plans, volumes and the projects in them');
  withJson(workspaces.command('list').description('list the workspaces'), 'panicly workspaces list').action(
    async (options: CommonOptions) => {
      show(io, options, await client().all<WorkspaceJson>('/workspaces'), workspaceTable);
    },
  );
  withJson(
    planFlags(workspaces.command('create').description('make a workspace').argument('<name>')),
    'panicly workspaces create clients --plan plus',
    'panicly workspaces create trial --included-requests 1000',
  ).action(async (name: string, options: PlanOptions) => {
    const made = await client().post<WorkspaceJson>('/workspaces', { name, ...planOf(options) });
    show(io, options, made, (workspace) => workspaceTable([workspace]));
  });
  withJson(
    planFlags(workspaces.command('set').alias('update').description('change name, plan or volume').argument('<workspace>')).option(
      '--name <name>',
      'another name',
    ),
    'panicly workspaces set default --plan plus',
  ).action(async (wanted: string, options: PlanOptions) => {
    const { id } = await findWorkspace(client(), wanted);
    const change = { ...(options.name === undefined ? {} : { name: options.name }), ...planOf(options) };
    show(io, options, await client().patch<WorkspaceJson>(`/workspaces/${id}`, change), (workspace) => workspaceTable([workspace]));
  });
}

/** `credits grant` and `credits list`. */
export function addCreditCommands(program: Command, { io, client }: CliContext): void {
  const credits = program.command('credits').description('requests beyond the included volume of a plan');
  withJson(
    inWorkspace(credits.command('grant').description('grant credits; a number below 0 takes some back'))
      .requiredOption('--requests <count>', 'how many requests')
      .option('--note <text>', 'why', 'granted at the command line'),
    "panicly credits grant --requests 1000 --note 'invoice 4711'",
  ).action(async (options: GrantOptions) => {
    if (!/^-?\d{1,12}$/.test(options.requests)) throw new CliProblem(`--requests must be a whole number, not "${options.requests}"`);
    const { id } = await findWorkspace(client(), options.workspace);
    const input = { requests: Number(options.requests), note: options.note };
    show(io, options, await client().post<CreditAnswerJson>(`/workspaces/${id}/credits`, input), ({ grant, credits_left }) =>
      facts([
        ['granted', grant.requests],
        ['credits left', credits_left],
      ]),
    );
  });
  withJson(inWorkspace(credits.command('list').description('every grant, newest first')), 'panicly credits list').action(
    async (options: GrantOptions) => {
      const { id } = await findWorkspace(client(), options.workspace);
      show(io, options, await client().all<CreditGrantJson>(`/workspaces/${id}/credits`), (grants) =>
        table(
          ['TIME', 'REQUESTS', 'BY', 'NOTE'],
          grants.map(({ at, requests, author, note }) => [at, requests, author, note]),
          [1],
        ),
      );
    },
  );
}

function planFlags(command: Command): Command {
  return command
    .addOption(new Option('--plan <plan>', 'what is included').choices(['unlimited', 'free', 'plus', 'business', 'custom']))
    .option('--included-requests <count>', 'requests a month, or "unlimited"; makes the plan custom');
}

function planOf({ plan, includedRequests }: PlanOptions): object {
  return {
    ...(plan === undefined ? {} : { plan }),
    ...(includedRequests === undefined ? {} : { included_requests: volumeOf(includedRequests) }),
  };
}

function volumeOf(text: string): number | null {
  if (text === 'unlimited') return null;
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw new CliProblem(`--included-requests must be a whole number or "unlimited", not "${text}"`);
}

function workspaceTable(workspaces: readonly WorkspaceJson[]): string {
  return table(
    ['ID', 'NAME', 'PLAN', 'INCLUDED', 'CREATED'],
    workspaces.map(({ id, name, plan, included_requests, created_at }) => [id, name, plan, included_requests ?? 'no limit', created_at]),
  );
}
