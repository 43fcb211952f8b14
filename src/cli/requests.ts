import { Option, type Command } from 'commander';
import type { DecisionJson } from '../http/schemas/operator.ts';
import type { Page } from './client.ts';
import { addExportCommand } from './exports.ts';
import { show, withJson, type CliContext, type CommonOptions } from './context.ts';
import { facts, printable, table, type Cell } from './output.ts';
import { CliProblem } from './problem.ts';

interface FilterOptions extends CommonOptions {
  readonly project?: string;
  readonly key?: string;
  readonly decision?: string;
  readonly reason?: string;
  readonly model?: string;
  readonly environment?: string;
  readonly from?: string;
  readonly to?: string;
  readonly observed?: true;
}

interface ListOptions extends FilterOptions {
  readonly cursor?: string;
  readonly limit: string;
}

/** `requests list`, `tail`, `show`, `correct` and `export`. */
export function addRequestCommands(program: Command, context: CliContext): void {
  const { io, client } = context;
  const requests = program.command('requests').description('recorded decisions and what they cost');
  withJson(listFlags(requests.command('list').description('list decisions, newest first')), ...LIST_EXAMPLES).action(
    async (options: ListOptions) => {
      const query = { ...queryOf(options), limit: checkedLimit(options.limit) };
      const page = await client().get<Page<DecisionJson>>('/decisions', query);
      show(io, options, page, pageText);
    },
  );
  addTail(requests, context);
  addCorrect(requests, context);
  addExportCommand(requests, context, {
    path: '/export/decisions',
    description: 'all decisions that the flags want, oldest first, as a file on the standard output',
    filters: filterFlags,
    queryOf: (command) => queryOf(command.opts<FilterOptions>()),
    examples: ['panicly requests export --since 30d > requests.csv', 'panicly requests export --project web --format jsonl > web.jsonl'],
  });
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

function addTail(requests: Command, { io, client }: CliContext): void {
  withJson(
    filterFlags(requests.command('tail').description('new decisions as they are recorded, until you stop it')),
    'panicly requests tail --project web',
    'panicly requests tail --decision deny --json',
  ).action(async (options: FilterOptions) => {
    // One line for each, so that programs can read along; columns cannot be aligned to rows that are still to come.
    for await (const row of client().events<DecisionJson>('/decisions/tail', queryOf(options)))
      io.out(options.json ? `${JSON.stringify(row)}\n` : `${decisionRow(row).map(printable).join('  ')}\n`);
    throw new CliProblem('the server ended the tail', 1);
  });
}

interface CorrectOptions extends CommonOptions {
  readonly cost: string;
  readonly note: string;
}

function addCorrect(requests: Command, { io, client }: CliContext): void {
  withJson(
    requests
      .command('correct')
      .description('say what a request cost in truth: its budgets are freed or taken by the difference')
      .argument('<id>')
      .requiredOption('--cost <usd>', 'USD')
      .requiredOption('--note <text>', 'why; it stands in the audit'),
    "panicly requests correct dec_mi9x0k2c0a1 --cost 0 --note 'the provider billed nothing'",
  ).action(async (id: string, options: CorrectOptions) => {
    const input = { cost_usd: options.cost, note: options.note };
    show(io, options, await client().post<DecisionJson>(`/decisions/${encodeURIComponent(id)}/corrections`, input), decisionText);
  });
}

function queryOf({ json: _json, observed, ...filters }: FilterOptions) {
  return { ...filters, ...(observed ? { observed: 'true' } : {}) };
}

function listFlags(command: Command): Command {
  return filterFlags(command)
    .option('--limit <count>', 'how many, 1 to 1000', '50')
    .option('--cursor <cursor>', 'the next page, from the answer before');
}

function filterFlags(command: Command): Command {
  return command
    .option('--project <name>', 'only of this project, name or id')
    .option('--key <id>', 'only of this key')
    .addOption(new Option('--decision <which>', 'only these').choices(['allow', 'deny']))
    .option('--reason <reason>', 'only denials for this reason')
    .option('--model <name>', 'only this model')
    .addOption(new Option('--environment <which>', 'only these').choices(['live', 'test']))
    .option('--from <time>', 'this moment and later, ISO 8601')
    .option('--to <time>', 'before this moment, ISO 8601')
    .option('--observed', 'only those that a control in observe mode spoke against');
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
  const ended = settlement?.outcome ?? (row.decision === 'allow' ? 'in flight' : null);
  const outcome = settlement?.overrun ? `${ended} OVERRUN` : ended;
  const cost = row.correction?.cost_usd ?? settlement?.cost_usd ?? null;
  const used = [settlement?.input_tokens ?? null, settlement?.output_tokens ?? null, cost];
  return [row.at, row.id, row.environment, row.route, row.requested_model, verdict, outcome, ...used];
}

function decisionText(row: DecisionJson): string {
  const { finding, settlement, observed, correction, ...rest } = row;
  return facts([
    ...pairsOf('', rest),
    ...(finding ? pairsOf('finding.', finding) : []),
    ...observed.flatMap((one, index) => pairsOf(`observed.${index}.`, one)),
    ...(settlement?.overrun ? ([['overrun', `cost more than the hold of ${row.hold_usd} USD: its bound was too low`]] as const) : []),
    ...(settlement ? pairsOf('settlement.', settlement) : []),
    ...(correction ? pairsOf('correction.', correction) : []),
  ]);
}

function pairsOf(prefix: string, values: Readonly<Record<string, Cell | readonly string[]>>): [string, Cell][] {
  return Object.entries(values).map(([name, value]) => [prefix + name, Array.isArray(value) ? value.join(', ') || null : (value as Cell)]);
}
