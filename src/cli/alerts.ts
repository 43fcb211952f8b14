import { Option, type Command } from 'commander';
import type { AlertDeliveryJson, AlertJson, AlertTestJson, NewAlertJson } from '../http/schemas/operator.ts';
import type { Page } from './client.ts';
import { confirm, show, withJson, withNotes, withYes, type CliContext, type CommonOptions, type DestroyingOptions } from './context.ts';
import { facts, table, type Io } from './output.ts';
import { CliProblem } from './problem.ts';

interface CreateOptions extends CommonOptions {
  readonly url: string;
  readonly format?: string;
  readonly project?: string;
  readonly workspace?: string;
  readonly events?: string;
  readonly thresholds?: string;
}

interface DeliveryOptions extends CommonOptions {
  readonly alert?: string;
  readonly state?: string;
  readonly limit: string;
}

/** `alerts list`, `create`, `test`, `deliveries` and `remove`. */
export function addAlertCommands(program: Command, context: Pick<CliContext, 'io' | 'client'>): void {
  const { io, client } = context;
  const alerts = program.command('alerts').description('who is told when a budget fills, a provider fails, or the server is in trouble');
  withJson(alerts.command('list').description('list the alerts'), 'panicly alerts list').action(async (options: CommonOptions) => {
    show(io, options, await client().all<AlertJson>('/alerts'), alertTable);
  });
  addCreate(alerts, context);
  withJson(
    alerts.command('test').description('send a test event now; exit code 1 when it was not taken').argument('<id>'),
    'panicly alerts test alr_0123456789abcdef',
  ).action(async (id: string, options: CommonOptions) => {
    const outcome = await client().post<AlertTestJson>(`/alerts/${encodeURIComponent(id)}/test`);
    show(io, options, outcome, testText);
    if (!outcome.delivered) throw new CliProblem(`the receiver did not take the test event (${outcome.error})`, 1);
  });
  addDeliveries(alerts, context);
  withJson(
    withYes(alerts.command('remove').description('remove an alert and wipe its secrets').argument('<id>')),
    'panicly alerts remove alr_0123456789abcdef --yes',
  ).action(async (id: string, options: DestroyingOptions) => {
    await confirm(io, options, `remove the alert ${id}; what it had still to tell is dropped`);
    await client().delete(`/alerts/${encodeURIComponent(id)}`);
    show(io, options, { id, removed: true }, () => `removed ${id}\n`);
  });
}

function addCreate(alerts: Command, { io, client }: Pick<CliContext, 'io' | 'client'>): void {
  const create = withJson(
    alerts
      .command('create')
      .description('make an alert; its signing secret is shown once')
      .argument('<name>')
      .option('--project <name>', 'only of this project, name or id (default: of the whole workspace)')
      .requiredOption('--url <url>', 'the webhook, stored encrypted; - reads it from the standard input')
      .addOption(new Option('--format <format>', 'how it wants to be told (default: generic)').choices(['generic', 'slack', 'discord']))
      .option('--workspace <name>', 'name or id of a workspace (default: the first, or that of the project)')
      .option('--events <names>', 'budget, volume, sentry, overrun, provider, ledger, clock, restore; separated by commas (default: all)')
      .option('--thresholds <percents>', 'of a budget, separated by commas (default: 50,80,100)'),
    'panicly alerts create ops --url https://alerts.example.com/panicly',
    'panicly alerts create team --format slack --url - < slack-url.txt',
    'panicly alerts create web --project web --events budget,sentry --thresholds 80,100 --url https://alerts.example.com/web',
  );
  withNotes(create, ...SIGNATURE).action(async (name: string, options: CreateOptions) => {
    const made = await client().post<NewAlertJson>('/alerts', await inputOf(name, options, io));
    show(io, options, made, newAlertText);
  });
}

const SIGNATURE = [
  'Each message carries panicly-event-id, and panicly-signature: t=SECONDS,v1=HEX, where HEX is HMAC-SHA256 with the secret over',
  'SECONDS, a full stop and the body as it arrived. Refuse what is older than 300 seconds; an event may arrive twice.',
];

function addDeliveries(alerts: Command, { io, client }: Pick<CliContext, 'io' | 'client'>): void {
  withJson(
    alerts
      .command('deliveries')
      .description('what was told, is still to be told, or was given up, newest first')
      .option('--alert <id>', 'of one alert')
      .addOption(new Option('--state <state>', 'only these').choices(['pending', 'delivered', 'failed']))
      .option('--limit <count>', 'how many', '50'),
    'panicly alerts deliveries --state failed',
  ).action(async ({ alert, state, limit, ...options }: DeliveryOptions) => {
    const page = await client().get<Page<AlertDeliveryJson>>('/alerts/deliveries', { alert, state, limit });
    show(io, options, page.data, deliveryTable);
  });
}

async function inputOf(name: string, options: CreateOptions, io: Io): Promise<object> {
  const { format, project, workspace, events, thresholds } = options;
  const url = options.url === '-' ? (await io.stdin()).trim() : options.url;
  return {
    name,
    url,
    ...(format === undefined ? {} : { format }),
    ...(project === undefined ? {} : { project }),
    ...(workspace === undefined ? {} : { workspace }),
    ...(events === undefined ? {} : { events: listOf(events) }),
    ...(thresholds === undefined ? {} : { thresholds: listOf(thresholds).map(Number) }),
  };
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function alertTable(alerts: readonly AlertJson[]): string {
  return table(
    ['ID', 'NAME', 'FORMAT', 'URL', 'OF', 'EVENTS', 'THRESHOLDS'],
    alerts.map((alert) => [
      alert.id,
      alert.name,
      alert.format,
      alert.url,
      alert.project_id ?? alert.workspace_id,
      alert.events.join(', '),
      alert.thresholds.map((percent) => `${percent} %`).join(', '),
    ]),
  );
}

function newAlertText(made: NewAlertJson): string {
  const { id, name, url, secret } = made;
  const shown = facts([['id', id], ['name', name], ['url', url], ...(secret === null ? [] : [['secret', secret] as const])]);
  const hint = secret === null ? '' : '\nKeep the secret: it is shown only now. Messages are signed with it.\n';
  return `${shown}${hint}\nTry it with: panicly alerts test ${id}\n`;
}

function testText({ delivered, status }: AlertTestJson): string {
  return delivered ? `delivered (status ${status})\n` : '';
}

function deliveryTable(deliveries: readonly AlertDeliveryJson[]): string {
  return table(
    ['ID', 'AT', 'TYPE', 'SUBJECT', 'STATE', 'ATTEMPTS', 'LAST ERROR'],
    deliveries.map((one) => [one.id, one.created_at, one.type, one.subject, one.state, one.attempts, one.last_error]),
    [5],
  );
}
