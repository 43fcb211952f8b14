import type { Command } from 'commander';
import type { ReplayEventJson, ReplayReportJson } from '../http/schemas/operator.ts';
import { show, withJson, type CliContext, type CommonOptions } from './context.ts';
import { readDocument } from './document.ts';
import { findProject, inProject } from './find.ts';
import { facts, table, type Cell, type Io } from './output.ts';
import { CliProblem } from './problem.ts';
import { withProgress } from './progress.ts';

interface ReplayOptions extends CommonOptions {
  readonly file?: string;
  readonly since: string;
  readonly until?: string;
  readonly project?: string;
}

/** Adds `replay` to the noun `policy`. */
export function addReplayCommand(policy: Command, { io, client }: CliContext): void {
  const replay = inProject(policy.command('replay').description('what a policy would have decided on recorded requests'))
    .option('--file <file>', 'the policy to try, JSON or TOML; - reads the standard input (default: the policies that were in force)')
    .option('--since <time>', 'from when: 7d, 24h, 30m, or ISO 8601', '7d')
    .option('--until <time>', 'to when (default: now)');
  withJson(replay, 'panicly policy replay --file new.toml --since 7d', 'panicly policy replay --file web.json --project web --json').action(
    async (options: ReplayOptions) => {
      const document = options.file === undefined ? undefined : (await readDocument(io, options.file)).value;
      const project = await findProject(client(), options.project);
      const { since, until } = options;
      const body = { ...(document ? { policy: document } : {}), from: since, ...(until === undefined ? {} : { to: until }) };
      const events = client().events<ReplayEventJson>(`/projects/${project.id}/policy/replay`, {}, body);
      show(io, options, await reportOf(events, io), reportText);
    },
  );
}

function reportOf(events: AsyncIterable<ReplayEventJson>, io: Io): Promise<ReplayReportJson> {
  return withProgress(io, 'replaying', async (at) => {
    for await (const event of events) {
      if ('progress' in event) at(event.progress, 1);
      else if ('report' in event) return event.report;
      else throw new CliProblem(event.error.message, 1);
    }
    throw new CliProblem('the server broke off before the replay had ended', 2);
  });
}

function reportText(report: ReplayReportJson): string {
  const { before, after, newly_denied: denied, newly_allowed: allowed } = report;
  const head = table(
    ['', 'ALLOWED', 'DENIED', 'COST USD'],
    [
      ['as it was', before.allowed, before.denied, before.cost_usd],
      ['replayed', after.allowed, after.denied, after.cost_usd],
    ],
    [1, 2, 3],
  );
  const totals = facts([
    ['newly denied', `${denied.requests} (${denied.cost_usd} USD not spent)`],
    ['newly allowed', `${allowed.requests} (about ${allowed.cost_usd} USD more)`],
    ['other reason', report.other_reason],
    ['other hold', `${report.other_hold.requests} (${report.other_hold.not_spent_usd} USD not spent)`],
  ]);
  const groups = (['reason', 'model', 'key', 'day'] as const).map((name) => groupText(`BY ${name.toUpperCase()}`, report[`by_${name}`]));
  const examples = exampleText('first newly denied', denied.examples) + exampleText('first newly allowed', allowed.examples);
  const notes = report.notes.map((note) => `\n${note}\n`).join('');
  return `${report.decisions} decisions from ${report.from} to ${report.to}\n\n${head}\n${totals}${groups.join('')}${examples}${notes}`;
}

function groupText(title: string, groups: ReplayReportJson['by_reason']): string {
  if (groups.length === 0) return '';
  const rows = groups.map((group): Cell[] => [
    group.name,
    group.newly_denied,
    group.not_spent_usd,
    group.newly_allowed,
    group.newly_spent_usd,
  ]);
  return `\n${table([title, 'DENIED', 'USD', 'ALLOWED', 'USD'], rows, [1, 2, 3, 4])}`;
}

function exampleText(title: string, examples: ReplayReportJson['newly_denied']['examples']): string {
  if (examples.length === 0) return '';
  const rows = examples.map((one): Cell[] => [
    one.id,
    one.at,
    one.model,
    one.before ?? 'allow',
    one.after ?? 'allow',
    one.requests,
    one.cost_usd,
  ]);
  return `\n${title}\n${table(['ID', 'TIME', 'MODEL', 'WAS', 'WOULD BE', 'REQUESTS', 'USD'], rows, [5, 6])}`;
}
