import { Option, type Command } from 'commander';
import type { DecisionJson } from '../http/schemas/operator.ts';
import type { Page } from './client.ts';
import { show, withJson, type CliContext, type CommonOptions } from './context.ts';
import { facts, table, type Cell } from './output.ts';
import { CliProblem } from './problem.ts';

interface ListOptions extends CommonOptions {
  readonly project?: string;
  readonly key?: string;
  readonly decision?: string;
  readonly reason?: string;
  readonly model?: string;
  readonly environment?: string;
  readonly from?: string;
  readonly to?: string;
  readonly cursor?: string;
  readonly limit: string;
}

/** `requests list` and `requests show`. */
export function addRequestCommands(program: Command, { io, client }: CliContext): void {
  const requests = program.command('requests').description('recorded decisions and what they cost');
  withJson(listFlags(requests.command('list').description('list decisions, newest first')), ...LIST_EXAMPLES).action(
    async (options: ListOptions) => {
      const { json: _json, ...query } = options;
      const page = await client().get<Page<DecisionJson>>('/decisions', { ...query, limit: checkedLimit(options.limit) });
      show(io, options, page, pageText);
    },
  );
  withJson(
    requests.command('show').description('show one decision in full').argument('<id>'),
    'panicly requests show dec_mi9x0k2c0a1',
  ).action(async (id: string, options: CommonOptions) => {
    show(io, options, await client().get<DecisionJson>(`/decisions/${encodeURIComponent(id)}`), decisionText);
  });
}

const LIST_EXAMPLES = [
  'panicly requests list --limit 20',
  'panicly requests list --decision deny --reason project_budget --json',
  'panicly requests list --project web --from 2026-11-01T00:00:00Z',
];

function listFlags(command: Command): Command {
  return command
    .option('--project <name>', 'only of this project, name or id')
    .option('--key <id>', 'only of this key')
    .addOption(new Option('--decision <which>', 'only these').choices(['allow', 'deny']))
    .option('--reason <reason>', 'only denials for this reason')
    .option('--model <name>', 'only this model')
    .addOption(new Option('--environment <which>', 'only these').choices(['live', 'test']))
    .option('--from <time>', 'this moment and later, ISO 8601')
    .option('--to <time>', 'before this moment, ISO 8601')
    .option('--limit <count>', 'how many, 1 to 1000', '50')
    .option('--cursor <cursor>', 'the next page, from the answer before');
}

function checkedLimit(limit: string): string {
  if (/^[1-9]\d{0,3}$/.test(limit) && Number(limit) <= 1000) return limit;
  throw new CliProblem(`--limit must be a number from 1 to 1000, not "${limit}"`);
}

function pageText(page: Page<DecisionJson>): string {
  const header = ['TIME', 'ID', 'ENV', 'ROUTE', 'MODEL', 'DECISION', 'OUTCOME', 'IN', 'OUT', 'COST USD'];
  const more = page.next_cursor === null ? '' : `\nMore with: --cursor ${page.next_cursor}\n`;
  return table(header, page.data.map(decisionRow), [7, 8, 9]) + more;
}

function decisionRow(row: DecisionJson): Cell[] {
  const { settlement } = row;
  const verdict = row.reason === null ? row.decision : `${row.decision} ${row.reason}${row.count > 1 ? ` x${row.count}` : ''}`;
  const outcome = settlement?.outcome ?? (row.decision === 'allow' ? 'in flight' : null);
  const used = [settlement?.input_tokens ?? null, settlement?.output_tokens ?? null, settlement?.cost_usd ?? null];
  return [row.at, row.id, row.environment, row.route, row.requested_model, verdict, outcome, ...used];
}

function decisionText(row: DecisionJson): string {
  const { finding, settlement, observed, correction, ...rest } = row;
  return facts([
    ...pairsOf('', rest),
    ...(finding ? pairsOf('finding.', finding) : []),
    ...observed.flatMap((one, index) => pairsOf(`observed.${index}.`, one)),
    ...(settlement ? pairsOf('settlement.', settlement) : []),
    ...(correction ? pairsOf('correction.', correction) : []),
  ]);
}

function pairsOf(prefix: string, values: Readonly<Record<string, Cell | readonly string[]>>): [string, Cell][] {
  return Object.entries(values).map(([name, value]) => [prefix + name, Array.isArray(value) ? value.join(', ') || null : (value as Cell)]);
}
