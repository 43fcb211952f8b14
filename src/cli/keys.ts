import { Option, type Command } from 'commander';
import type { KeyJson, NewKeyJson, ProjectJson } from '../http/schemas/operator.ts';
import type { Client } from './client.ts';
import { confirm, show, withJson, withNotes, withYes, type CliContext, type CommonOptions, type DestroyingOptions } from './context.ts';
import { findProject, inProject } from './find.ts';
import { addScanCommand } from './keys-scan.ts';
import { facts, table } from './output.ts';
import { CliProblem } from './problem.ts';

interface KeyOptions extends CommonOptions {
  readonly project?: string;
  readonly name: string;
  readonly environment: 'live' | 'test';
  readonly expires?: string;
}

interface ListOptions extends CommonOptions {
  readonly project?: string;
  readonly unusedFor?: string;
}

interface RotateOptions extends DestroyingOptions {
  readonly overlap: string;
  readonly expires?: string;
}

const TEST_KEYS = [
  'A test key is answered by a simulator, whatever the model. These models rehearse what can go wrong:',
  '  sim-error-429, sim-error-500, sim-slow, sim-silent, sim-cut, sim-no-usage, sim-tools, sim-long, sim-overrun',
];

/** `keys list`, `create`, `rotate`, `revoke` and `scan`. */
export function addKeyCommands(program: Command, context: CliContext): void {
  const { io, client } = context;
  const keys = program.command('keys').description('project keys, which applications send');
  const list = inProject(keys.command('list').description('list the keys of a project, and when each was last used')).option(
    '--unused-for <time>',
    'only keys that work and that nobody used for so long, like 30d; of all projects when none is named',
  );
  withJson(list, 'panicly keys list --project web', 'panicly keys list --unused-for 30d').action(async (options: ListOptions) => {
    show(io, options, await listed(client(), options), keyTable);
  });
  const create = inProject(keys.command('create').description('make a key; it is shown once'))
    .option('--name <name>', 'what the key is for', 'key')
    .addOption(new Option('--environment <which>', 'test keys never spend').choices(['live', 'test']).default('live'))
    .option('--expires <time>', 'when it stops working, ISO 8601');
  withJson(create, 'panicly keys create --project web --name backend', 'panicly keys create --environment test --expires 2027-01-01');
  withNotes(create, ...TEST_KEYS).action(async (options: KeyOptions) => {
    const project = await findProject(client(), options.project);
    const { name, environment, expires } = options;
    const input = { name, environment, ...(expires === undefined ? {} : { expires_at: expires }) };
    show(io, options, await client().post<NewKeyJson>(`/projects/${project.id}/keys`, input), newKeyText);
  });
  addRotate(keys, context);
  addScanCommand(keys, context);
  withJson(
    withYes(keys.command('revoke').description('revoke a key, open streams included').argument('<id>')),
    'panicly keys revoke key_0123456789abcdef --yes',
  ).action(async (id: string, options: DestroyingOptions) => {
    await confirm(io, options, `revoke the key ${id} for good, and cut its open streams`);
    show(io, options, await client().post<KeyJson>(`/keys/${encodeURIComponent(id)}/revoke`), (key) => keyTable([key]));
  });
}

async function listed(client: Client, { project, unusedFor }: ListOptions): Promise<KeyJson[]> {
  const whole = unusedFor !== undefined && project === undefined;
  const projects = whole ? await client.all<ProjectJson>('/projects') : [await findProject(client, project)];
  const query = { unused_for: unusedFor };
  return (await Promise.all(projects.map(({ id }) => client.all<KeyJson>(`/projects/${id}/keys`, query)))).flat();
}

function addRotate(keys: Command, { io, client }: CliContext): void {
  withJson(
    withYes(keys.command('rotate').description('replace a key; the new one goes on with its budgets').argument('<id>'))
      .option('--overlap <seconds>', 'how long the old key works on', '0')
      .option('--expires <time>', 'when the new key stops working, ISO 8601'),
    'panicly keys rotate key_0123456789abcdef --overlap 3600',
    'panicly keys rotate key_0123456789abcdef --yes',
  ).action(async (id: string, options: RotateOptions) => {
    const { overlap, expires } = options;
    if (!/^\d{1,7}$/.test(overlap)) throw new CliProblem(`--overlap must be a number of seconds, not "${overlap}"`);
    if (Number(overlap) === 0) await confirm(io, options, `revoke the key ${id} at once, and cut its open streams (or give --overlap)`);
    const input = { overlap_seconds: Number(overlap), ...(expires === undefined ? {} : { expires_at: expires }) };
    show(io, options, await client().post<NewKeyJson>(`/keys/${encodeURIComponent(id)}/rotate`, input), newKeyText);
  });
}

function keyTable(keys: readonly KeyJson[]): string {
  return table(
    ['ID', 'NAME', 'KEY', 'CREATED', 'LAST USED', 'EXPIRES', 'REVOKED'],
    keys.map((key) => [key.id, key.name, `${key.prefix}...`, key.created_at, key.last_used_at, key.expires_at, key.revoked_at]),
  );
}

function newKeyText(key: NewKeyJson): string {
  return `${facts([
    ['id', key.id],
    ['name', key.name],
    ['key', key.key],
  ])}\nKeep the key: it is shown only now.\n`;
}
