import type { Command } from 'commander';
import type { CatalogueReportJson, CatalogueVersionJson } from '../http/schemas/operator.ts';
import { confirm, show, withJson, withYes, type CliContext, type CommonOptions, type DestroyingOptions } from './context.ts';
import { readText } from './document.ts';
import { download } from './download.ts';
import { table, type Io } from './output.ts';
import { CliProblem } from './problem.ts';

/** What the server takes. */
const MAX_BYTES = 8 * 1024 * 1024;
/** What fits a screen. */
const MAX_ROWS = 30;

interface RefreshOptions extends DestroyingOptions {
  readonly dryRun?: true;
  readonly pin?: true;
}

interface RollbackOptions extends DestroyingOptions {
  readonly dryRun?: true;
  readonly to?: string;
}

/** `prices refresh`, `rollback` and `versions`: the whole price list. */
export function addPriceListCommands(prices: Command, context: CliContext): void {
  const { io, client } = context;
  withJson(
    withYes(
      prices.command('refresh').description('put a new price list into force, from a file or an https address').argument('<file or url>'),
    )
      .option('--dry-run', 'only show what it would change')
      .option('--pin', 'keep it also when a newer binary carries a newer list'),
    'panicly prices refresh models.json --dry-run',
    'panicly prices refresh https://prices.example.com/models.json',
    'panicly prices refresh models.json --yes',
  ).action(async (from: string, { dryRun, pin, ...options }: RefreshOptions) => {
    const text = await readList(io, from);
    // As it came: the server has to see a name that stands twice.
    const bodyOf = (flags: object) => `${JSON.stringify({ ...flags, ...(pin ? { pin } : {}) }).slice(0, -1)},"document":${text}}`;
    await changeList(context, options, dryRun, '/prices/catalogue', bodyOf);
  });
  withJson(
    withYes(prices.command('rollback').description('put an earlier price list into force again; it stays until the next refresh'))
      .option('--to <version>', 'which one (default: the one before)')
      .option('--dry-run', 'only show what it would change'),
    'panicly prices rollback',
    'panicly prices rollback --to 1842 --yes',
  ).action(async ({ dryRun, to, ...options }: RollbackOptions) => {
    if (to !== undefined && !/^[1-9]\d{0,14}$/.test(to)) throw new CliProblem(`--to is a number of "panicly prices versions", not "${to}"`);
    const target = to === undefined ? {} : { to: Number(to) };
    await changeList(context, options, dryRun, '/prices/catalogue/rollback', (flags) => JSON.stringify({ ...flags, ...target }));
  });
  withJson(prices.command('versions').description('every price list that was in force, newest first'), 'panicly prices versions').action(
    async (options: CommonOptions) => {
      show(io, options, await client().all<CatalogueVersionJson>('/prices/catalogue/versions'), versionTable);
    },
  );
}

/** Looks first: what makes holds smaller is shown before anybody is asked. */
async function changeList(
  { io, client }: CliContext,
  options: DestroyingOptions,
  dryRun: true | undefined,
  path: string,
  bodyOf: (flags: { readonly confirm: boolean; readonly dry_run: boolean }) => string,
): Promise<void> {
  const preview = await client().post<CatalogueReportJson>(path, bodyOf({ confirm: false, dry_run: true }));
  if (dryRun) return show(io, options, preview, reportText);
  if (preview.lowered > 0 && !options.yes) {
    io.err(reportText(preview));
    await confirm(io, options, `make holds smaller for ${preview.lowered} names of the price list`);
  }
  // What was looked at is what is said yes to: a list that lowers nothing needs no yes, also when something changed since.
  const body = bodyOf({ confirm: preview.lowered > 0, dry_run: false });
  show(io, options, await client().post<CatalogueReportJson>(path, body), reportText);
}

/** The text of a price list, once it is known to be one JSON object. */
async function readList(io: Io, from: string): Promise<string> {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(from) ? await download(from, MAX_BYTES) : await readText(io, from);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return text;
  } catch (error) {
    throw new CliProblem(`${from} is not JSON`, 2, { cause: error });
  }
  throw new CliProblem(`${from} does not hold an object`);
}

const OUTCOMES: Readonly<Record<CatalogueReportJson['outcome'], string>> = {
  applied: 'in force now',
  dry_run: 'not applied: this is what it would change',
  unchanged: 'this list is in force already',
  unconfirmed: 'not applied: holds would get smaller',
};

function reportText(report: CatalogueReportJson): string {
  const { models, added, removed, changed, lowered, changes } = report;
  const rows = changes.slice(0, MAX_ROWS).map(({ provider, model, change, lowers, fields }) => {
    const what = fields.map(({ field, before, after }) => `${field} ${before ?? 'none'} -> ${after ?? 'none'}`).join(', ');
    return [`${provider}/${model}`, change, lowers ?? '', change === 'changed' ? shortened(what) : ''];
  });
  const more = changes.length - rows.length;
  const counts = `${models} models of ${report.as_of}: ${added} added, ${removed} removed, ${changed} changed; holds get smaller for ${lowered}\n`;
  const list = rows.length === 0 ? '' : `\n${table(['MODEL', 'CHANGE', 'MAKES HOLDS SMALLER', 'FIELDS'], rows, [])}`;
  return `version ${report.version}, ${OUTCOMES[report.outcome]}\n${counts}${list}${more > 0 ? `and ${more} more: --json shows all\n` : ''}`;
}

function shortened(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}

function versionTable(versions: readonly CatalogueVersionJson[]): string {
  return table(
    ['VERSION', 'TIME', 'FROM', 'PRICES OF', 'MODELS', 'ADDED', 'REMOVED', 'CHANGED', 'LOWERED', 'BY', 'STATE'],
    versions.map((one) => [
      one.version,
      one.at,
      one.rolled_back_to === null ? one.origin : `${one.origin} to ${one.rolled_back_to}`,
      one.as_of,
      one.models,
      one.added,
      one.removed,
      one.changed,
      one.lowered,
      one.author,
      stateOf(one),
    ]),
    [0, 4, 5, 6, 7, 8],
  );
}

function stateOf({ in_force, pinned, kept }: CatalogueVersionJson): string {
  if (in_force) return pinned ? 'in force, pinned' : 'in force';
  return kept ? 'kept' : 'not kept';
}
