import { Option, type Command } from 'commander';
import type { AuditEventJson, UsageLineJson } from '../http/schemas/operator.ts';
import type { Page, Query } from './client.ts';
import { addExportCommand } from './exports.ts';
import { show, withJson, type CliContext, type CommonOptions } from './context.ts';
import { table, type Cell } from './output.ts';

interface UsageOptions extends CommonOptions {
  readonly by: string;
  readonly [filter: string]: string | true | undefined;
}

interface AuditOptions extends CommonOptions {
  readonly limit: string;
  readonly cursor?: string;
}

/** `usage` and `audit`: reports over all projects. */
export function addEvidenceCommands(program: Command, context: CliContext): void {
  const { io, client } = context;
  const usage = program.command('usage').description('what was used and what it cost, by group').enablePositionalOptions();
  withJson(usageFlags(usage), 'panicly usage --by day,model --from 2026-11-01', 'panicly usage --by reason --project web --json').action(
    async ({ json, ...options }: UsageOptions) => {
      const groups = options.by.split(',').map((group) => group.trim());
      const lines = await client().all<UsageLineJson>('/usage', usageQuery(options));
      show(io, json === undefined ? {} : { json }, lines, (shown) => usageTable(groups, shown));
    },
  );
  addExportCommand(usage, context, {
    path: '/export/usage',
    description: 'the same as a file on the standard output',
    filters: usageFlags,
    queryOf: (command) => usageQuery(command.opts<UsageOptions>()),
    examples: ['panicly usage export --by day,project,model --from 2026-10-01 --to 2026-11-01 > october.csv'],
  });
  withJson(
    program
      .command('audit')
      .description('what operators did, newest first')
      .option('--limit <count>', 'how many, 1 to 1000', '50')
      .option('--cursor <cursor>', 'the next page, from the answer before'),
    'panicly audit --limit 20',
  ).action(async (options: AuditOptions) => {
    const page = await client().get<Page<AuditEventJson>>('/audit', { limit: options.limit, cursor: options.cursor });
    show(io, options, page, auditText);
  });
}

function usageFlags(command: Command): Command {
  return command
    .option('--by <groups>', 'day, hour, model, project, key, reason, country, environment; several with commas', 'day')
    .option('--workspace <name>', 'only of this workspace, name or id')
    .option('--project <name>', 'only of this project, name or id')
    .option('--key <id>', 'only of this key')
    .addOption(new Option('--environment <which>', 'only these').choices(['live', 'test']))
    .option('--from <time>', 'this moment and later, ISO 8601')
    .option('--to <time>', 'before this moment, ISO 8601');
}

function usageQuery({ by, json: _json, ...filters }: UsageOptions): Query {
  return { ...(filters as Record<string, string | undefined>), group_by: by };
}

/** Usage names some groups by their id. */
const FIELDS: Readonly<Record<string, string>> = { project: 'project_id', key: 'key_id' };

function usageTable(groups: readonly string[], lines: readonly UsageLineJson[]): string {
  const header = [...groups.map((group) => group.toUpperCase()), 'REQUESTS', 'IN', 'CACHED', 'OUT', 'COST USD'];
  const rows = lines.map((line) => {
    const named = groups.map((group) => (line as Record<string, Cell | undefined>)[FIELDS[group] ?? group] ?? null);
    return [...named, line.requests, line.input_tokens, line.cached_input_tokens, line.output_tokens, line.cost_usd];
  });
  return table(
    header,
    rows,
    [0, 1, 2, 3, 4].map((column) => column + groups.length),
  );
}

function auditText(page: Page<AuditEventJson>): string {
  const rows = page.data.map(({ at, actor, action, subject, ip, detail }) => [
    at,
    actor,
    action,
    subject,
    ip,
    shortened(JSON.stringify(detail)),
  ]);
  const more = page.next_cursor === null ? '' : `\nMore with: --cursor ${page.next_cursor}\n`;
  return table(['TIME', 'WHO', 'WHAT', 'SUBJECT', 'FROM', 'DETAIL'], rows) + more;
}

const MAX_DETAIL = 100;

function shortened(text: string): string {
  return text.length <= MAX_DETAIL ? text : `${text.slice(0, MAX_DETAIL)}...`;
}
