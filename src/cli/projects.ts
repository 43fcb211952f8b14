import type { Command } from 'commander';
import type { ProjectJson } from '../http/schemas/operator.ts';
import type { Client } from './client.ts';
import { show, withJson, type CliContext, type CommonOptions } from './context.ts';
import { table } from './output.ts';
import { CliProblem } from './problem.ts';

/** `projects list` and `projects create`. */
export function addProjectCommands(program: Command, { io, client }: CliContext): void {
  const projects = program.command('projects').description('projects: each has its own keys, providers and policy');
  withJson(projects.command('list').description('list the projects'), 'panicly projects list').action(async (options: CommonOptions) => {
    show(io, options, await client().all<ProjectJson>('/projects'), projectTable);
  });
  withJson(projects.command('create').description('make a project').argument('<name>'), 'panicly projects create web').action(
    async (name: string, options: CommonOptions) => {
      show(io, options, await client().post<ProjectJson>('/projects', { name }), (made) => projectTable([made]));
    },
  );
}

function projectTable(projects: readonly ProjectJson[]): string {
  return table(
    ['ID', 'NAME', 'CREATED'],
    projects.map((project) => [project.id, project.name, project.created_at]),
  );
}

/** The project with this id or name; without one, the only project that there is. */
export async function findProject(client: Client, wanted: string | undefined): Promise<ProjectJson> {
  const projects = await client.all<ProjectJson>('/projects');
  if (wanted === undefined && projects.length === 1) return projects[0]!;
  if (wanted === undefined) throw new CliProblem(`there are ${projects.length} projects: say which one with --project NAME`);
  const found = projects.filter((project) => project.id === wanted || project.name === wanted);
  if (found.length === 1) return found[0]!;
  throw new CliProblem(
    found.length === 0
      ? `there is no project "${wanted}"; see: panicly projects list`
      : `several projects are called "${wanted}": use the id`,
  );
}
