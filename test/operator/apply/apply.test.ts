import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { ConfigurationPlanJson } from '../../../src/http/schemas/operator.ts';
import { StoreConflict } from '../../../src/ledger/store.ts';
import { startScenario, type Answer, type Scenario } from '../../support/scenario.ts';

const SECRET = 'sk-CANARY-4b1d77e0aa';
const HOOK = 'https://hooks.example.com/services/CANARY-hook-91';
const SIGNING = 'CANARY-signing-secret-5521';

let scenario: Scenario;

beforeAll(async () => {
  process.env['APPLY_TEST_HOOK'] = HOOK;
  process.env['APPLY_TEST_SIGNING'] = SIGNING;
  process.env['APPLY_TEST_KEY'] = SECRET;
  scenario = await startScenario();
});
afterAll(async () => {
  for (const name of ['APPLY_TEST_HOOK', 'APPLY_TEST_SIGNING', 'APPLY_TEST_KEY']) delete process.env[name];
  await scenario.close();
});

const apply = (document: object, query = '', state?: string): Promise<Answer> =>
  scenario.operate('PUT', `/configuration${query}`, document, state === undefined ? {} : { headers: { 'if-match': `"${state}"` } });

const planOf = ({ json }: Answer) => json as unknown as ConfigurationPlanJson;
/** `+ project default/web` for each entry of a plan. */
const heads = (answer: Answer) => planOf(answer).changes.map(({ action, noun, name }) => `${action} ${noun} ${name}`);
const problem = ({ json }: Answer) => json['error'] as { message: string; param: string | null; reason: string };

async function auditCount(): Promise<number> {
  return ((await scenario.operate('GET', '/audit?limit=1000')).json['data'] as unknown[]).length;
}

/** What a first file makes of an empty server. */
const FILE = {
  workspaces: [
    { name: 'default' },
    {
      name: 'team',
      plan: 'custom',
      included_requests: 1_000,
      policy: { budgets: [{ scope: 'workspace', period: 'month', limit_usd: '100' }] },
    },
  ],
  projects: [
    {
      name: 'web',
      workspace: 'team',
      policy: { burst: { requests: 'unlimited' }, budgets: [{ scope: 'project', period: 'day', limit_usd: '5.00' }] },
      providers: [
        { name: 'main', kind: 'openai', api_key_env: 'APPLY_TEST_KEY' },
        { name: 'local', kind: 'custom', base_url: 'http://127.0.0.1:11434/v1', models: ['llama*'] },
      ],
    },
    { name: 'jobs', workspace: 'team' },
  ],
  prices: [{ provider: 'openai', model: 'house-model', input_usd: '1', output_usd: '2' }],
  alerts: [
    {
      name: 'spend',
      workspace: 'team',
      url_env: 'APPLY_TEST_HOOK',
      secret_env: 'APPLY_TEST_SIGNING',
      events: ['budget'],
      thresholds: [90, 50],
    },
    { name: 'web', workspace: 'team', project: 'web', url_env: 'APPLY_TEST_HOOK', format: 'slack' },
  ],
};

describe('a file on a server', () => {
  test('a dry run says what would be made, and writes nothing', async () => {
    const [before, audited] = [await scenario.operate('GET', '/configuration'), await auditCount()];
    const dry = await apply(FILE, '?dry_run=true');
    expect([dry.status, planOf(dry).applied]).toEqual([200, false]);
    expect(heads(dry)).toEqual([
      'create workspace team',
      'create project team/web',
      'create provider team/web/main',
      'create provider team/web/local',
      'create project team/jobs',
      'create price openai/house-model',
      'create alert team/spend',
      'create alert team/web/web',
    ]);
    expect([(await scenario.operate('GET', '/configuration')).text, await auditCount()]).toEqual([before.text, audited]);
  });

  test('is applied whole, each write with its audit event, and is in force', async () => {
    const audited = await auditCount();
    const real = await apply(FILE);
    expect([real.status, planOf(real).applied, planOf(real).changes.length]).toEqual([200, true, 8]);
    // Workspace, its policy, two projects with theirs, two providers, a price, two alerts, and one for the whole.
    expect((await auditCount()) - audited).toBe(12);
    const projects = (await scenario.operate('GET', '/projects')).json['data'] as { name: string; id: string }[];
    const web = projects.find(({ name }) => name === 'web')!;
    const { policy } = (await scenario.operate('GET', `/projects/${web.id}/policy`)).json as { policy: { burst: { requests: unknown } } };
    expect(policy.burst.requests).toBeNull();
    const key = (await scenario.operate('POST', `/projects/${web.id}/keys`, { name: 'k', environment: 'test' })).json['key'] as string;
    expect((await scenario.chat(key)).status).toBe(200);
    expect(await scenario.problems()).toEqual([]);
    expect(scenario.failures).toEqual([]);
  });

  test('a second time writes nothing', async () => {
    const audited = await auditCount();
    const again = await apply(FILE);
    expect([heads(again), planOf(again).unchanged]).toEqual([[], 9]);
    expect(await auditCount()).toBe(audited);
  });

  test('what a start reads from the disk is the same', async () => {
    const before = (await scenario.operate('GET', '/configuration')).text;
    scenario = await scenario.restart();
    expect((await scenario.operate('GET', '/configuration')).text).toBe(before);
  });

  test('no secret comes out of a plan, an export or the audit', async () => {
    const changed = { ...FILE, alerts: [{ ...FILE.alerts[0]!, events: ['sentry'] }] };
    const texts = [
      await apply(FILE, '?dry_run=true'),
      await apply(changed, '?dry_run=true&prune=true'),
      await scenario.operate('GET', '/configuration?full=true'),
      await scenario.operate('GET', '/audit?limit=1000'),
    ].map(({ text }) => text);
    for (const text of texts) expect(text).not.toContain('CANARY');
    expect(texts[2]).toContain('APPLY_TEST_SIGNING');
  });

  test('what is not in the file is told and stays; a list that is left out says nothing', async () => {
    const partial = await apply({ projects: [{ name: 'web', workspace: 'team' }] });
    expect([heads(partial), planOf(partial).not_in_file]).toEqual([[], [{ noun: 'project', name: 'team/jobs', removable: true }]]);
    expect(planOf(await apply({})).not_in_file).toEqual([]);
    const none = await apply({ workspaces: [], prices: [], alerts: [] });
    expect(planOf(none).not_in_file.map(({ noun, name, removable }) => [noun, name, removable])).toEqual([
      ['workspace', 'default', false],
      ['workspace', 'team', false],
      ['price', 'openai/house-model', true],
      ['alert', 'team/spend', true],
      ['alert', 'team/web/web', true],
    ]);
  });
});

describe('changes', () => {
  test('field by field, and what lets more pass is marked', async () => {
    const changed = structuredClone(FILE);
    changed.workspaces[1]!.included_requests = 2_000;
    changed.projects[0]!.policy!.budgets[0]!.limit_usd = '50.00';
    changed.projects[0]!.providers![0]!.api_key_env = 'APPLY_TEST_HOOK';
    const answer = await apply(changed, '?dry_run=true');
    const fields = planOf(answer).changes.flatMap(({ name, fields: all }) =>
      all.map(({ path, before, after, loosens }) => [name, path, before, after, loosens]),
    );
    expect(fields).toEqual([
      ['team', 'included_requests', 1_000, 2_000, true],
      ['team/web', 'policy.budgets[project day].limit_usd', '5.00', '50.00', true],
      ['team/web/main', 'api_key_env', 'APPLY_TEST_KEY', 'APPLY_TEST_HOOK', false],
    ]);
  });

  test('an address that changed in its variable is noticed, and not shown', async () => {
    process.env['APPLY_TEST_HOOK'] = `${HOOK}-moved`;
    const answer = await apply(FILE);
    expect(planOf(answer).changes.map(({ name, fields }) => [name, fields.map(({ path }) => path)])).toEqual([
      ['team/spend', ['url']],
      ['team/web/web', ['url']],
    ]);
    expect(answer.text).not.toContain('CANARY');
    expect(heads(await apply(FILE))).toEqual([]);
    process.env['APPLY_TEST_HOOK'] = HOOK;
    await apply(FILE);
  });

  test('a stored key is exported as such, left as it is, and wiped only when that is confirmed', async () => {
    const web = ((await scenario.operate('GET', '/projects')).json['data'] as { name: string; id: string }[]).find(
      ({ name }) => name === 'web',
    )!;
    await scenario.operate('POST', `/projects/${web.id}/providers`, { name: 'kept', kind: 'groq', api_key: SECRET });
    const exported = (await scenario.operate('GET', '/configuration')).json['configuration'] as typeof FILE;
    expect(JSON.stringify(exported)).toContain('"api_key":"stored"');
    expect(heads(await apply(exported))).toEqual([]);
    const withEnv = structuredClone(exported) as unknown as { projects: { name: string; providers: Record<string, unknown>[] }[] };
    const kept = withEnv.projects.find(({ name }) => name === 'web')!.providers.find(({ name }) => name === 'kept')!;
    delete kept['api_key'];
    kept['api_key_env'] = 'APPLY_TEST_KEY';
    const refused = await apply(withEnv);
    expect([refused.status, problem(refused).message]).toEqual([
      409,
      expect.stringContaining('wipe the stored key of the provider team/web/kept'),
    ]);
    expect((await apply(withEnv, '?confirm=true')).status).toBe(200);
    const back = await apply(exported);
    expect(problem(back).message).toContain('The server has no stored key');
  });

  test('--prune removes after a confirmation, and keys of what is gone are dead', async () => {
    const projects = (await scenario.operate('GET', '/projects')).json['data'] as { name: string; id: string }[];
    const { id } = projects.find(({ name }) => name === 'jobs')!;
    const key = (await scenario.operate('POST', `/projects/${id}/keys`, { name: 'k', environment: 'test' })).json['key'] as string;
    const smaller = { ...FILE, projects: [FILE.projects[0]!], prices: [], alerts: [FILE.alerts[0]!] };
    const refused = await apply(smaller, '?prune=true');
    expect([refused.status, problem(refused).message]).toEqual([409, expect.stringContaining('delete the project team/jobs')]);
    const pruned = await apply(smaller, '?prune=true&confirm=true');
    expect(heads(pruned).toSorted()).toEqual([
      'remove alert team/web/web',
      'remove price openai/house-model',
      'remove project default/default',
      'remove project team/jobs',
      'remove provider team/web/kept',
    ]);
    expect((await scenario.chat(key)).status).toBe(401);
    expect(await scenario.problems()).toEqual([]);
    expect(heads(await apply(smaller, '?prune=true'))).toEqual([]);
  });

  test('a price that makes holds smaller needs a confirmation', async () => {
    const price = (input: string) => ({ prices: [{ provider: 'openai', model: 'gpt-4.1', input_usd: input, output_usd: '900' }] });
    expect((await apply(price('900'))).status).toBe(200);
    const refused = await apply(price('1'));
    expect([refused.status, problem(refused).message]).toEqual([409, expect.stringContaining('make holds of openai/gpt-4.1 smaller')]);
    expect(planOf(await apply(price('1'), '?confirm=true')).changes[0]!.fields.every(({ loosens }) => loosens)).toBe(true);
  });
});

describe('a file that is wrong is refused whole, with the path', () => {
  const inWeb = (provider: object) => ({ projects: [{ name: 'web', workspace: 'team', providers: [provider] }] });
  const alert = (change: object) => ({ alerts: [{ name: 'x', workspace: 'team', url_env: 'APPLY_TEST_HOOK', ...change }] });
  test.each([
    [{ projcts: [] }, 'projcts', 'Did you mean "projects"?'],
    [{ sever: {} }, 'sever', 'Did you mean "server"?'],
    [{ server: { port: 1 } }, 'server', 'read by panicly serve'],
    [{ projects: {} }, 'projects', 'Expected array'],
    [{ projects: [{}] }, 'projects.0.name', 'missing'],
    [{ projects: [{ nmae: 'x' }] }, 'projects.0.nmae', 'Did you mean "name"?'],
    [{ projects: [{ name: 'a', workspace: 'nowhere' }] }, 'projects.0.workspace', 'There is no workspace "nowhere"'],
    [{ projects: [{ name: 'a' }] }, 'projects.0.workspace', 'say which one'],
    [{ projects: [1, 2].map(() => ({ name: 'a', workspace: 'team' })) }, 'projects.1.name', 'stands twice'],
    [{ workspaces: [1, 2].map(() => ({ name: 'a' })) }, 'workspaces.1.name', 'stands twice'],
    [{ workspaces: [{ name: 'a', plan: 'free', included_requests: 3 }] }, 'workspaces.0.included_requests', 'volume of its own'],
    [{ workspaces: [{ name: 'a', plan: 'custom' }] }, 'workspaces.0.included_requests', 'needs included_requests'],
    [{ workspaces: [{ name: 'a', policy: { burst: {} } }] }, 'workspaces.0.policy.burst', 'not known'],
    [{ projects: [{ name: 'web', workspace: 'team', policy: { brust: {} } }] }, 'projects.0.policy.brust', 'Did you mean "burst"?'],
    [
      { projects: [{ name: 'web', workspace: 'team', policy: { budgets: [{ scope: 'project', period: 'day', limit_usd: 5 }] } }] },
      'projects.0.policy.budgets.0.limit_usd',
      'amount in USD',
    ],
    [inWeb({ name: 'p', kind: 'openai', api_key: SECRET }), 'projects.0.providers.0.api_key', 'Keys do not belong into the file'],
    [inWeb({ name: 'p', kind: 'openai', api_key: 'stored' }), 'projects.0.providers.0.api_key', 'no stored key'],
    [inWeb({ name: 'p', kind: 'openai', api_key_env: 'PANICLY_MASTER_KEY' }), 'projects.0.providers.0.api_key_env', 'not the name'],
    [inWeb({ name: 'p', kind: 'custom' }), 'projects.0.providers.0.base_url', 'needs its base_url'],
    [inWeb({ name: 'p', kind: 'openai', base_url: 'http://169.254.169.254/v1' }), 'projects.0.providers.0.base_url', ''],
    [inWeb({ name: 'p', kind: 'opnai' }), 'projects.0.providers.0.kind', 'Expected "openai"'],
    [inWeb({ name: 'main', kind: 'groq' }), 'projects.0.providers.0.kind', 'cannot change'],
    [{ prices: [{ provider: 'nobody', model: 'x', input_usd: '1' }] }, 'prices.0', 'There is no price list'],
    [{ prices: [{ provider: 'openai', model: 'never-heard-of', input_usd: '1' }] }, 'prices.0', 'Nobody knows a price'],
    [{ prices: [{ provider: 'openai', model: 'gpt-4.1' }] }, 'prices.0', 'at least one figure'],
    [alert({ url_env: undefined }), 'alerts.0.url_env', 'variable'],
    [alert({ url_env: 'APPLY_TEST_UNSET' }), 'alerts.0.url_env', 'is not set'],
    [alert({ url: HOOK }), 'alerts.0.url', 'does not belong into the file'],
    [alert({ secret: SIGNING }), 'alerts.0.secret', 'do not belong into the file'],
    [alert({ format: 'slack', secret_env: 'APPLY_TEST_SIGNING' }), 'alerts.0.format', 'not signed'],
    [alert({ project: 'nowhere' }), 'alerts.0.project', 'no project'],
  ])('%j', async (document, path, words) => {
    const [before, audited] = [(await scenario.operate('GET', '/configuration')).json['state'], await auditCount()];
    const answer = await apply(
      { ...document, workspaces: 'workspaces' in document ? document.workspaces : [{ name: 'team' }, { name: 'new-one' }] },
      '?confirm=true',
    );
    expect([answer.status, problem(answer).param]).toEqual([400, path]);
    expect(problem(answer).message).toContain(words);
    expect(answer.text).not.toContain('CANARY');
    expect([(await scenario.operate('GET', '/configuration')).json['state'], await auditCount()]).toEqual([before, audited]);
  });

  test('Sentry is no part of it: no file can turn it off', async () => {
    const [{ id }] = (await scenario.operate('GET', '/workspaces')).json['data'] as [{ id: string }];
    await scenario.operate('PUT', `/workspaces/${id}/sentry`, { enabled: true });
    expect((await apply({ workspaces: [{ name: 'default', sentry: false }] })).status).toBe(400);
    await apply({ workspaces: [{ name: 'default', policy: {} }] });
    expect((await scenario.operate('GET', '/status')).text).toContain('"sentry":true');
  });
});

describe('somebody else', () => {
  const file = (limit: string) => ({ projects: [{ name: 'web', workspace: 'team', policy: { abuse: { limit_usd: limit } } }] });

  test('who changed something after the plan was shown is not overwritten', async () => {
    const { state } = planOf(await apply(file('1.00'), '?dry_run=true'));
    await apply({ workspaces: [{ name: 'team', plan: 'free' }] });
    const refused = await apply(file('1.00'), '', state);
    expect([refused.status, problem(refused).message]).toEqual([409, expect.stringContaining('Somebody changed something')]);
    const fresh = planOf(await apply(file('1.00'), '?dry_run=true'));
    expect((await apply(file('1.00'), '', fresh.state)).status).toBe(200);
  });

  test('who writes at the same moment is seen in the transaction, and nothing is lost', async () => {
    const web = ((await scenario.operate('GET', '/projects')).json['data'] as { name: string; id: string }[]).find(
      ({ name }) => name === 'web',
    )!;
    const answers = await Promise.all([
      scenario.operate('POST', `/projects/${web.id}/keys`, { name: 'a' }),
      apply({ workspaces: [{ name: 'together-1' }] }),
      scenario.operate('PATCH', `/projects/${web.id}`, { name: 'site' }),
      apply({ workspaces: [{ name: 'together-2' }] }),
      apply({ workspaces: [{ name: 'together-1' }, { name: 'together-3' }] }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([201, 200, 200, 200, 200]);
    const { workspaces } = (await scenario.operate('GET', '/configuration')).json['configuration'] as { workspaces: { name: string }[] };
    expect(workspaces.filter(({ name }) => name.startsWith('together-')).map(({ name }) => name)).toEqual([
      'together-1',
      'together-2',
      'together-3',
    ]);
    expect(await scenario.problems()).toEqual([]);
  });

  test('a basis that is not the newest writes nothing', async () => {
    const audited = await auditCount();
    const audit = { actor: 'system', action: 'workspace.create', subject: 'x', ip: null, detail: {} };
    const step = {
      do: 'createWorkspace',
      workspace: { publicId: 'wsp_never', name: 'never', plan: 'free', includedRequests: 150 },
    } as const;
    const { store } = scenario.office;
    expect(await store.applySteps({ steps: [{ step, audit }], basisSeq: 1, summary: audit })).toBe('stale');
    expect(await auditCount()).toBe(audited);
  });

  test('a step that the store refuses takes all the others with it', async () => {
    const { store } = scenario.office;
    const before = await auditCount();
    const audit = { actor: 'system', action: 'workspace.create', subject: 'x', ip: null, detail: {} };
    const workspace = { publicId: 'wsp_twice', name: 'twice', plan: 'free', includedRequests: 150 } as const;
    const steps = [1, 2].map(() => ({ step: { do: 'createWorkspace', workspace } as const, audit }));
    const basisSeq = (await store.listAudit(null, 1)).items[0]!.seq;
    const refused: unknown = await store.applySteps({ steps, basisSeq, summary: audit }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StoreConflict);
    expect(await auditCount()).toBe(before);
    expect((await store.loadDirectory()).workspaces.some(({ name }) => name === 'twice')).toBe(false);
    expect(await scenario.problems()).toEqual([]);
  });

  test('many changes are made in parts, and a part that is refused says how far it came', async () => {
    const many = { workspaces: Array.from({ length: 120 }, (_, index) => ({ name: `many-${index}`, plan: 'free' })) };
    const { store } = scenario.office;
    const applySteps = store.applySteps.bind(store);
    const parts: number[] = [];
    store.applySteps = async (request) => {
      parts.push(request.steps.length);
      return parts.length === 2 ? 'stale' : await applySteps(request);
    };
    const broken = await apply(many);
    expect([broken.status, problem(broken).message]).toEqual([409, expect.stringContaining('100 of 120 writes were made and stay')]);
    expect(parts).toEqual([100, 20]);
    const rest = await apply(many);
    store.applySteps = applySteps;
    expect([rest.status, planOf(rest).changes.length, planOf(rest).unchanged]).toEqual([200, 20, 100]);
    expect(await scenario.problems()).toEqual([]);
  });

  test('a writer that died over it: what it wrote is read from the disk, and the rest is done', async () => {
    const { store } = scenario.office;
    const applySteps = store.applySteps.bind(store);
    let calls = 0;
    store.applySteps = async (request) => {
      const written = await applySteps(request);
      return ++calls === 1 ? 'unknown' : written;
    };
    const file = { workspaces: [{ name: 'found-again', policy: {} }], projects: [{ name: 'p', workspace: 'found-again' }], prices: [] };
    const { state } = planOf(await apply(file, '?prune=true&dry_run=true'));
    const answer = await apply(file, '?prune=true&confirm=true', state);
    store.applySteps = applySteps;
    expect([answer.status, calls, heads(answer).slice(0, 2)]).toEqual([
      200,
      1,
      ['create workspace found-again', 'create project found-again/p'],
    ]);
    expect(heads(await apply(file, '?prune=true'))).toEqual([]);
    const held = (await scenario.operate('GET', '/configuration')).json['configuration'];
    scenario = await scenario.restart();
    expect((await scenario.operate('GET', '/configuration')).json['configuration']).toEqual(held);
  });

  test('who may only look may not even plan; who is bound to a workspace neither', async () => {
    const token = async (body: object) => String((await scenario.operate('POST', '/operators', body)).json['token']);
    const viewer = await token({ name: 'looker', role: 'viewer' });
    const bound = await token({ name: 'bound', role: 'owner', workspace_id: 'team' });
    const statuses = await Promise.all(
      [viewer, bound].flatMap((one) => [
        scenario.operate('PUT', '/configuration?dry_run=true', {}, { token: one }),
        scenario.operate('GET', '/configuration', undefined, { token: one }),
      ]),
    );
    expect(statuses.map(({ status }) => status)).toEqual([403, 200, 403, 403]);
  });
});
