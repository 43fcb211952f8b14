import type { Command } from 'commander';
import type { ProjectJson, WorkspaceJson } from '../http/schemas/operator.ts';
import type { Client } from './client.ts';
import { CliProblem } from './problem.ts';

/** Options that name a project or a workspace. */
export interface OwnerOptions {
  readonly project?: string;
  readonly workspace?: string;
}

/** Adds `--project`. */
export function inProject(command: Command): Command {
  return command.option('--project <name>', 'name or id of the project (default: the only one)');
}

/** Adds `--workspace`. */
export function inWorkspace(command: Command, withoutOne = 'the only one'): Command {
  return command.option('--workspace <name>', `name or id of the workspace (default: ${withoutOne})`);
}

/** The project with this id or name; without one, the only project that there is. */
export async function findProject(client: Client, wanted: string | undefined): Promise<ProjectJson> {
  return oneOf(await client.all<ProjectJson>('/projects'), wanted, 'project');
}

/** The workspace with this id or name; without one, the only workspace that there is. */
export async function findWorkspace(client: Client, wanted: string | undefined): Promise<WorkspaceJson> {
  return oneOf(await client.all<WorkspaceJson>('/workspaces'), wanted, 'workspace');
}

/** The address of the project or workspace that the options name, and what to call it. Both at once is a mistake. */
export async function findOwner(client: Client, options: OwnerOptions): Promise<{ readonly path: string; readonly title: string }> {
  const { project, workspace } = options;
  if (project !== undefined && workspace !== undefined) throw new CliProblem('give --project or --workspace, not both');
  if (workspace !== undefined) {
    const found = await findWorkspace(client, workspace);
    return { path: `/workspaces/${found.id}`, title: `workspace ${found.name}` };
  }
  const found = await findProject(client, project);
  return { path: `/projects/${found.id}`, title: `project ${found.name}` };
}

function oneOf<Noun extends { readonly id: string; readonly name: string }>(
  all: readonly Noun[],
  wanted: string | undefined,
  noun: string,
): Noun {
  if (wanted === undefined && all.length === 1) return all[0]!;
  if (wanted === undefined) throw new CliProblem(`there are ${all.length} ${noun}s: say which one with --${noun} NAME`);
  const found = all.filter((one) => one.id === wanted || one.name === wanted);
  if (found.length === 1) return found[0]!;
  throw new CliProblem(
    found.length === 0
      ? `there is no ${noun} "${wanted}"; see: panicly ${noun}s list`
      : `several ${noun}s are called "${wanted}": use the id`,
  );
}
