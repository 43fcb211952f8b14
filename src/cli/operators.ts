import { Option, type Command } from 'commander';
import type { NewOperatorJson, OperatorJson } from '../http/schemas/operator.ts';
import { confirm, show, withJson, withYes, type CliContext, type CommonOptions, type DestroyingOptions } from './context.ts';
import { findWorkspace } from './find.ts';
import { facts, table } from './output.ts';

interface CreateOptions extends CommonOptions {
  readonly role: 'owner' | 'viewer';
  readonly workspace?: string;
  readonly expires?: string;
}

/** `operators list`, `create` and `remove`. */
export function addOperatorCommands(program: Command, { io, client }: CliContext): void {
  const operators = program.command('operators').description('who may use this command line and the operator API');
  withJson(operators.command('list').description('list the operators'), 'panicly operators list').action(async (options: CommonOptions) => {
    show(io, options, await client().all<OperatorJson>('/operators'), operatorTable);
  });
  withJson(
    operators
      .command('create')
      .description('let somebody in; the token is shown once')
      .argument('<name>')
      .addOption(new Option('--role <role>', 'an owner may do all, a viewer only look').choices(['owner', 'viewer']).default('viewer'))
      .option('--workspace <name>', 'name or id of the one workspace to see (default: as much as you see)')
      .option('--expires <time>', 'when the token stops working, ISO 8601'),
    'panicly operators create ann --role owner',
    'panicly operators create bob --role owner --workspace research',
    'panicly operators create grafana --expires 2027-01-01',
  ).action(async (name: string, options: CreateOptions) => {
    const { role, workspace, expires } = options;
    const bound = workspace === undefined ? {} : { workspace_id: (await findWorkspace(client(), workspace)).id };
    const input = { name, role, ...bound, ...(expires === undefined ? {} : { expires_at: expires }) };
    show(io, options, await client().post<NewOperatorJson>('/operators', input), newOperatorText);
  });
  withJson(
    withYes(operators.command('remove').description('shut an operator out, at once').argument('<id>')),
    'panicly operators remove opr_0123456789abcdef --yes',
  ).action(async (id: string, options: DestroyingOptions) => {
    await confirm(io, options, `shut the operator ${id} out for good`);
    await client().delete(`/operators/${encodeURIComponent(id)}`);
    show(io, options, { id, removed: true }, () => `removed ${id}\n`);
  });
}

function operatorTable(operators: readonly OperatorJson[]): string {
  return table(
    ['ID', 'NAME', 'ROLE', 'WORKSPACE', 'CREATED', 'EXPIRES'],
    operators.map(({ id, name, role, workspace_id, created_at, expires_at }) => [
      id,
      name,
      role,
      workspace_id ?? 'all',
      created_at,
      expires_at,
    ]),
  );
}

function newOperatorText({ id, name, role, workspace_id, token }: NewOperatorJson): string {
  return `${facts([
    ['id', id],
    ['name', name],
    ['role', role],
    ['workspace', workspace_id ?? 'all'],
    ['token', token],
  ])}\nKeep the token: it is shown only now.\n`;
}
