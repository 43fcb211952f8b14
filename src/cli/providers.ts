import { Option, type Command } from 'commander';
import { PROVIDER_KINDS } from '../domain/project.ts';
import type { ProviderJson } from '../http/schemas/operator.ts';
import { confirm, show, withJson, withNotes, withYes, type CliContext, type CommonOptions, type DestroyingOptions } from './context.ts';
import { findProject, inProject } from './find.ts';
import type { Io } from './output.ts';
import { table } from './output.ts';
import { CliProblem } from './problem.ts';

interface ChangeOptions extends CommonOptions {
  readonly name?: string;
  readonly baseUrl?: string;
  readonly apiKey?: string;
  readonly apiKeyEnv?: string;
  readonly models?: string;
}

interface AddOptions extends ChangeOptions {
  readonly project?: string;
  readonly kind: string;
}

/** `providers list`, `add`, `update` and `remove`. */
export function addProviderCommands(program: Command, { io, client }: Pick<CliContext, 'io' | 'client'>): void {
  const providers = program.command('providers').description('provider connections of a project');
  withJson(inProject(providers.command('list').description('list the connections')), 'panicly providers list --project web').action(
    async (options: AddOptions) => {
      const project = await findProject(client(), options.project);
      show(io, options, await client().all<ProviderJson>(`/projects/${project.id}/providers`), providerTable);
    },
  );
  addUpdate(providers, { io, client });
  const add = withJson(addFlags(inProject(providers.command('add').description('connect a provider'))), ...ADD_EXAMPLES);
  withNotes(add, ...ADD_NOTES).action(async (options: AddOptions) => {
    const input = await inputOf(options, io);
    const project = await findProject(client(), options.project);
    show(io, options, await client().post<ProviderJson>(`/projects/${project.id}/providers`, input), (made) => providerTable([made]));
  });
  withJson(
    withYes(providers.command('remove').description('remove a connection').argument('<id>')),
    'panicly providers remove con_0123456789abcdef --yes',
  ).action(async (id: string, options: DestroyingOptions) => {
    await confirm(io, options, `remove the connection ${id} and wipe its key`);
    await client().delete(`/providers/${encodeURIComponent(id)}`);
    show(io, options, { id, removed: true }, () => `removed ${id}\n`);
  });
}

function addUpdate(providers: Command, { io, client }: Pick<CliContext, 'io' | 'client'>): void {
  withJson(
    connectionFlags(providers.command('update').description('change a connection').argument('<id>')).option(
      '--name <name>',
      'what to call it',
    ),
    'panicly providers update con_0123456789abcdef --api-key-env OPENAI_API_KEY',
  ).action(async (id: string, options: ChangeOptions) => {
    const change = { ...(options.name === undefined ? {} : { name: options.name }), ...(await partsOf(options, io)) };
    show(io, options, await client().patch<ProviderJson>(`/providers/${encodeURIComponent(id)}`, change), (updated) =>
      providerTable([updated]),
    );
  });
}

const ADD_EXAMPLES = [
  'panicly providers add --kind openai --api-key-env OPENAI_API_KEY',
  'panicly providers add --kind openrouter --api-key - < key.txt',
  "panicly providers add --kind custom --name ollama --base-url http://127.0.0.1:11434/v1 --models 'llama*,qwen*'",
];

const ADD_NOTES = [
  'A model goes to the connection whose --models name it or fit it; NAME/MODEL names a connection outright.',
  'Plain http, to a server on the same machine, needs allow_http = true under [upstream] in the configuration of the server.',
];

function addFlags(command: Command): Command {
  return connectionFlags(
    command
      .addOption(new Option('--kind <kind>', 'whose API it is').choices(PROVIDER_KINDS).makeOptionMandatory())
      .option('--name <name>', 'what to call it (default: the kind)'),
  );
}

function connectionFlags(command: Command): Command {
  return command
    .option('--base-url <url>', 'where it is, needed for custom')
    .option('--api-key <key>', "the provider's key, stored encrypted; - reads it from the standard input")
    .option('--api-key-env <variable>', 'an environment variable of the server that holds the key')
    .option('--models <patterns>', 'names or patterns with *, separated by commas (default: all)');
}

async function inputOf(options: AddOptions, io: Io): Promise<object> {
  return { name: options.name ?? options.kind, kind: options.kind, ...(await partsOf(options, io)) };
}

async function partsOf(options: ChangeOptions, io: Io): Promise<object> {
  if (options.apiKey !== undefined && options.apiKeyEnv !== undefined) throw new CliProblem('give --api-key or --api-key-env, not both');
  const apiKey = options.apiKey === '-' ? (await io.stdin()).trim() : options.apiKey;
  if (apiKey === '') throw new CliProblem('the standard input held no key');
  const models = options.models?.split(',').map((pattern) => pattern.trim());
  return {
    ...(options.baseUrl === undefined ? {} : { base_url: options.baseUrl }),
    ...(apiKey === undefined ? {} : { api_key: apiKey }),
    ...(options.apiKeyEnv === undefined ? {} : { api_key_env: options.apiKeyEnv }),
    ...(models === undefined ? {} : { models: models.filter((pattern) => pattern !== '') }),
  };
}

function providerTable(providers: readonly ProviderJson[]): string {
  return table(
    ['ID', 'NAME', 'KIND', 'BASE URL', 'KEY', 'MODELS'],
    providers.map((provider) => [
      provider.id,
      provider.name,
      provider.kind,
      provider.base_url,
      provider.api_key_env ?? provider.credential,
      provider.models.join(', '),
    ]),
  );
}
