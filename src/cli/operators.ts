import { Option, type Command } from 'commander';
import type { NewOperatorJson, OperatorJson } from '../http/schemas/operator.ts';
import { confirm, show, withJson, withYes, type CliContext, type CommonOptions, type DestroyingOptions } from './context.ts';
import { facts, table } from './output.ts';

interface CreateOptions extends CommonOptions {
  readonly role: 'owner' | 'viewer';
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
      .option('--expires <time>', 'when the token stops working, ISO 8601'),
    'panicly operators create ann --role owner',
    'panicly operators create grafana --expires 2027-01-01',
  ).action(async (name: string, options: CreateOptions) => {
    const { role, expires } = options;
    const input = { name, role, ...(expires === undefined ? {} : { expires_at: expires }) };
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
    ['ID', 'NAME', 'ROLE', 'CREATED', 'EXPIRES'],
    operators.map(({ id, name, role, created_at, expires_at }) => [id, name, role, created_at, expires_at]),
  );
}

function newOperatorText({ id, name, role, token }: NewOperatorJson): string {
  return `${facts([
    ['id', id],
    ['name', name],
    ['role', role],
    ['token', token],
  ])}\nKeep the token: it is shown only now.\n`;
}
