import { Option, type Command } from 'commander';
import type { KeyJson, NewKeyJson } from '../http/schemas/operator.ts';
import { show, withJson, type CliContext, type CommonOptions } from './context.ts';
import { facts, table } from './output.ts';
import { findProject } from './projects.ts';

interface KeyOptions extends CommonOptions {
  readonly project?: string;
  readonly name: string;
  readonly environment: 'live' | 'test';
  readonly expires?: string;
}

/** `keys list`, `keys create` and `keys revoke`. */
export function addKeyCommands(program: Command, { io, client }: CliContext): void {
  const keys = program.command('keys').description('project keys, which applications send');
  withJson(inProject(keys.command('list').description('list the keys of a project')), 'panicly keys list --project web').action(
    async (options: KeyOptions) => {
      const project = await findProject(client(), options.project);
      show(io, options, await client().all<KeyJson>(`/projects/${project.id}/keys`), keyTable);
    },
  );
  const create = inProject(keys.command('create').description('make a key; it is shown once'))
    .option('--name <name>', 'what the key is for', 'key')
    .addOption(new Option('--environment <which>', 'test keys never spend').choices(['live', 'test']).default('live'))
    .option('--expires <time>', 'when it stops working, ISO 8601');
  withJson(
    create,
    'panicly keys create --project web --name backend',
    'panicly keys create --environment test --expires 2027-01-01',
  ).action(async (options: KeyOptions) => {
    const project = await findProject(client(), options.project);
    const { name, environment, expires } = options;
    const input = { name, environment, ...(expires === undefined ? {} : { expires_at: expires }) };
    show(io, options, await client().post<NewKeyJson>(`/projects/${project.id}/keys`, input), newKeyText);
  });
  withJson(
    keys.command('revoke').description('revoke a key, open streams included').argument('<id>'),
    'panicly keys revoke key_0123456789abcdef',
  ).action(async (id: string, options: CommonOptions) => {
    show(io, options, await client().post<KeyJson>(`/keys/${encodeURIComponent(id)}/revoke`), (key) => keyTable([key]));
  });
}

/** Adds `--project`. */
export function inProject(command: Command): Command {
  return command.option('--project <name>', 'name or id of the project (default: the only one)');
}

function keyTable(keys: readonly KeyJson[]): string {
  return table(
    ['ID', 'NAME', 'KEY', 'CREATED', 'EXPIRES', 'REVOKED'],
    keys.map((key) => [key.id, key.name, `${key.prefix}...`, key.created_at, key.expires_at, key.revoked_at]),
  );
}

function newKeyText(key: NewKeyJson): string {
  return `${facts([
    ['id', key.id],
    ['name', key.name],
    ['key', key.key],
  ])}\nKeep the key: it is shown only now.\n`;
}
