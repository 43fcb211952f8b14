import type { Command } from 'commander';
import type { ProjectJson } from '../http/schemas/operator.ts';
import { confirm, show, withJson, withYes, type CliContext, type CommonOptions, type DestroyingOptions } from './context.ts';
import { findProject, inWorkspace } from './find.ts';
import { table } from './output.ts';

/** `projects list`, `create`, `rename` and `delete`. */
export function addProjectCommands(program: Command, { io, client }: CliContext): void {
  const projects = program.command('projects').description('projects: each has its own keys, providers and policy');
  withJson(projects.command('list').description('list the projects'), 'panicly projects list').action(async (options: CommonOptions) => {
    show(io, options, await client().all<ProjectJson>('/projects'), projectTable);
  });
  withJson(
    inWorkspace(projects.command('create').description('make a project').argument('<name>'), 'the first'),
    'panicly projects create web',
    'panicly projects create web --workspace clients',
  ).action(async (name: string, options: CommonOptions & { workspace?: string }) => {
    const input = { name, ...(options.workspace === undefined ? {} : { workspace_id: options.workspace }) };
    show(io, options, await client().post<ProjectJson>('/projects', input), (made) => projectTable([made]));
  });
  withJson(
    projects.command('rename').description('give a project another name').argument('<project>').argument('<name>'),
    'panicly projects rename web shop',
  ).action(async (wanted: string, name: string, options: CommonOptions) => {
    const { id } = await findProject(client(), wanted);
    show(io, options, await client().patch<ProjectJson>(`/projects/${id}`, { name }), (renamed) => projectTable([renamed]));
  });
  withJson(
    withYes(projects.command('delete').description('delete a project: its keys stop at once').argument('<project>')),
    'panicly projects delete web --yes',
  ).action(async (wanted: string, options: DestroyingOptions) => {
    const { id, name } = await findProject(client(), wanted);
    await confirm(io, options, `delete project ${name}: its keys stop at once, its provider keys are wiped, its decisions stay`);
    await client().delete(`/projects/${id}`);
    show(io, options, { id, deleted: true }, () => `deleted ${name}\n`);
  });
}

function projectTable(projects: readonly ProjectJson[]): string {
  return table(
    ['ID', 'NAME', 'CREATED'],
    projects.map((project) => [project.id, project.name, project.created_at]),
  );
}
