import type { NewDelivery } from '../../src/ledger/alert-store.ts';
import type { Answer, Scenario } from './scenario.ts';

/** A workspace with one of everything in it, and what each is called. */
export interface Inhabited {
  readonly workspace: string;
  readonly project: string;
  readonly key: string;
  readonly provider: string;
  readonly decision: string;
  readonly alert: string;
  /** Tokens of operators who are bound to it. */
  readonly owner: string;
  readonly viewer: string;
  /** The id of the owner. */
  readonly operator: string;
  /** A test key of the project. */
  readonly secret: string;
  /** Every id, and the one name that all of it carries. */
  readonly marks: readonly string[];
}

/** Fills a workspace of this name, as an owner of the installation. */
export async function inhabit(scenario: Scenario, name: string): Promise<Inhabited> {
  const make = async (path: string, body: object): Promise<Answer['json']> => {
    const answer = await scenario.operate('POST', path, body);
    if (answer.status !== 201) throw new Error(`${path}: ${answer.text}`);
    return answer.json;
  };
  const idOf = (made: Answer['json']) => String(made['id']);
  const workspace = idOf(await make('/workspaces', { name }));
  const project = idOf(await make('/projects', { name, workspace_id: workspace }));
  const key = await make(`/projects/${project}/keys`, { name, environment: 'test' });
  const provider = idOf(
    await make(`/projects/${project}/providers`, { name, kind: 'custom', base_url: `https://${name}.example.com/v1`, api_key: 'sk-given' }),
  );
  await make(`/workspaces/${workspace}/credits`, { requests: 5, note: name });
  const operators = await Promise.all(
    ['owner', 'viewer'].map((role) => make('/operators', { name: `${name} ${role}`, role, workspace_id: workspace })),
  );
  const secret = String(key['key']);
  const decision = (await scenario.chat(secret, { user: name })).headers.get('x-panicly-decision-id')!;
  await make(`/decisions/${decision}/corrections`, { cost_usd: '0.5', note: name });
  const alert = idOf(await make('/alerts', { name, workspace, url: 'https://alerts.example.com/x' }));
  await scenario.office.store.fireAlerts([givenUp(scenario, alert, name)]);
  const [owner, viewer] = operators.map((made) => String(made['token'])) as [string, string];
  const operator = idOf(operators[0]!);
  const marks = [name, workspace, project, idOf(key), provider, decision, alert, ...operators.map(idOf)];
  return { workspace, project, key: idOf(key), provider, decision, alert, owner, viewer, operator, secret, marks };
}

/** A message of the alert that nobody will send. */
function givenUp(scenario: Scenario, alert: string, name: string): NewDelivery {
  return {
    publicId: `evt_${name}`,
    alertId: scenario.office.alerts.book.list().find((living) => living.alert.publicId === alert)!.alert.id,
    dedupeKey: name,
    type: 'sentry.on',
    subject: name,
    payload: '{}',
    createdAtMs: scenario.clock.nowMs(),
    state: 'failed',
    attempts: 1,
    nextAttemptAtMs: null,
    lastError: 'http_500',
  };
}
