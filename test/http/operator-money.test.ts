import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { startMockProvider, type MockProvider } from '../support/mock-provider.ts';
import { startScenario, type Answer, type Scenario } from '../support/scenario.ts';

const HOUR_MS = 3_600_000;
let provider: MockProvider;
let scenario: Scenario;

beforeAll(async () => {
  provider = await startMockProvider();
});
afterAll(() => provider.close());
beforeEach(async () => {
  scenario = await startScenario();
  await connect('openai');
});
afterEach(() => scenario.close());

async function connect(kind: string): Promise<void> {
  const body = { name: 'mock', kind, base_url: provider.baseUrl, models: ['*'] };
  expect((await scenario.operate('POST', '/projects/default/providers', body)).status).toBe(201);
}

const live = (body: Readonly<Record<string, unknown>> = {}) => scenario.chat(scenario.made.liveKey, { max_tokens: 10, ...body });

function holdOf(answer: Answer): number {
  return Number(answer.headers.get('x-panicly-cost-hold-usd'));
}

function errorOf(answer: Answer): Readonly<Record<string, unknown>> {
  return answer.json['error'] as Record<string, unknown>;
}

async function policy(document: unknown): Promise<Answer> {
  return scenario.operate('PUT', '/projects/default/policy', document);
}

async function decision(id: string): Promise<Readonly<Record<string, unknown>>> {
  return (await scenario.operate('GET', `/decisions/${id}`)).json;
}

describe('prices', () => {
  const path = '/prices/openai/gpt-4.1-mini';

  test('a price that is set holds for the next request, and its version stands in the decision', async () => {
    const before = await live();
    const set = await scenario.operate('PUT', path, { input_usd: '400', output_usd: '1600' });
    expect(set.json).toMatchObject({ source: 'operator', input_usd: '400.00', override: { input_usd: '400.00', output_usd: '1600.00' } });
    const after = await live();
    expect(holdOf(after) / holdOf(before)).toBeGreaterThan(500);
    const recorded = await decision(after.headers.get('x-panicly-decision-id')!);
    expect(recorded['price_version']).toBe(set.json['price_version'] as number);
  });

  test.each([
    ['a lower input', { input_usd: '0.10' }, 'input is 0.40 USD now and would be 0.10 USD'],
    ['a lower output', { output_usd: '1.00' }, 'output is 1.60 USD now'],
    ['a lower cached input', { input_usd: '5', cache_read_usd: '0.01' }, 'cached input is'],
    ['a cache write below twice the input', { cache_write_usd: '0.40' }, 'cache write is'],
    ['a smaller output limit', { input_usd: '5', max_output_tokens: 100 }, 'the output limit would be 100 tokens'],
    ['a smaller context', { context_tokens: 1000 }, 'the context limit would be 1000 tokens'],
    ['an input limit where there was none', { max_input_tokens: 1000 }, 'the input limit would be 1000 tokens'],
    ['nothing at all', { input_usd: '0', output_usd: '0' }, 'would cost nothing'],
  ])('%s needs a confirmation', async (_, body, sentence) => {
    const { version } = await priceNow();
    const refused = await scenario.operate('PUT', path, body);
    expect([refused.status, errorOf(refused)['message']]).toEqual([409, expect.stringContaining(sentence)]);
    expect((await scenario.operate('PUT', `${path}?confirm=false`, body)).status).toBe(409);
    expect((await priceNow()).version).toBe(version);
    expect((await scenario.operate('PUT', `${path}?confirm=true`, body)).status).toBe(200);
    expect((await priceNow()).version).not.toBe(version);
  });

  test('what raises a hold needs none; taking it away again does', async () => {
    expect((await scenario.operate('PUT', path, { input_usd: '0.41' })).status).toBe(200);
    expect((await scenario.operate('DELETE', path)).status).toBe(409);
    expect((await scenario.operate('DELETE', `${path}?confirm=true`)).status).toBe(204);
    expect((await scenario.operate('DELETE', `${path}?confirm=true`)).status).toBe(404);
    expect((await scenario.operate('GET', '/prices')).json).toEqual({ data: [], next_cursor: null });
  });

  test('a model that nobody knows is refused until both prices are set, and free only when that is confirmed', async () => {
    expect(errorOf(await live({ model: 'mine/new' }))['reason']).toBe('model_unpriced');
    const mine = '/prices/openai/mine/new';
    expect(errorOf(await scenario.operate('PUT', mine, { input_usd: '1' }))).toMatchObject({
      reason: 'missing_field',
      param: 'output_usd',
    });
    expect((await scenario.operate('PUT', mine, { input_usd: '0', output_usd: '0' })).status).toBe(409);
    expect((await scenario.operate('PUT', mine, { input_usd: '1', output_usd: '2' })).status).toBe(200);
    expect((await live({ model: 'mine/new' })).status).toBe(200);
    expect((await scenario.operate('GET', '/prices/openai/mine%2Fnew')).json).toMatchObject({ model: 'mine/new', input_usd: '1.00' });
  });

  test('they survive a restart', async () => {
    await scenario.operate('PUT', path, { input_usd: '400' });
    const { version } = await priceNow();
    scenario = await scenario.restart();
    expect(await priceNow()).toMatchObject({ input: '400.00', version });
    expect(scenario.gateway.catalogue.version).toBe(version as number);
  });

  test.each([
    ['/prices/nobody/x', { input_usd: '1' }, 404, undefined],
    ['/prices/openai/x', { input_usd: '-1' }, 400, 'input_usd'],
    ['/prices/openai/x', { input_usd: 1 }, 400, 'input_usd'],
    ['/prices/openai/x', { input_usd: '1e3' }, 400, 'input_usd'],
    ['/prices/openai/x', {}, 400, undefined],
    ['/prices/openai/x', { max_output_tokens: 0 }, 400, 'max_output_tokens'],
    ['/prices/openai/a%20b', { input_usd: '1', output_usd: '1' }, 400, 'model'],
  ])('%s %j is %i', async (address, body, status, param) => {
    const answer = await scenario.operate('PUT', address, body);
    expect([answer.status, errorOf(answer)['param'] ?? undefined]).toEqual([status, param]);
  });

  async function priceNow() {
    const { json } = await scenario.operate('GET', path);
    return { version: json['price_version'], input: json['input_usd'] };
  }
});

describe('corrections', () => {
  test('free a budget, are kept beside the settlement, count after a restart, and verify holds', async () => {
    await scenario.operate('PUT', '/prices/openai/gpt-4.1-mini', { input_usd: '1000', output_usd: '1000' });
    await policy({ budgets: [{ scope: 'project', period: 'day', limit_usd: '0.50' }], abuse: { mode: 'off' } });
    const first = await live();
    const id = first.headers.get('x-panicly-decision-id')!;
    const cost = first.headers.get('x-panicly-cost-usd');
    expect(await budget()).toMatchObject({ spent_usd: cost });
    const corrected = await scenario.operate('POST', `/decisions/${id}/corrections`, { cost_usd: '0.001', note: 'their bill' });
    expect(corrected.json['correction']).toMatchObject({ cost_usd: '0.001', note: 'their bill' });
    expect(corrected.json['settlement']).toMatchObject({ cost_usd: cost });
    expect(await budget()).toMatchObject({ spent_usd: '0.001' });
    scenario = await scenario.restart();
    expect(await budget()).toMatchObject({ spent_usd: '0.001' });
    await scenario.operate('POST', `/decisions/${id}/corrections`, { cost_usd: '0.4', note: 'no, their second bill' });
    expect(await budget()).toMatchObject({ spent_usd: '0.40' });
    expect(errorOf(await live({ max_tokens: 5000 }))['reason']).toBe('project_budget');
    expect((await scenario.operate('GET', '/usage')).json['data']).toMatchObject([{ cost_usd: '0.40' }]);
    expect(await scenario.problems()).toEqual([]);
    scenario = await scenario.restart();
    expect(await budget()).toMatchObject({ spent_usd: '0.40' });
    expect(await decision(id)).toMatchObject({ correction: { cost_usd: '0.40', note: 'no, their second bill' } });
    expect(await scenario.problems()).toEqual([]);
  });

  test('two at once are both counted, one after the other', async () => {
    const id = (await live()).headers.get('x-panicly-decision-id')!;
    const costs = ['0.3', '0.1', '0.2', '0.7', '0.5'];
    await Promise.all(costs.map((cost_usd) => scenario.operate('POST', `/decisions/${id}/corrections`, { cost_usd, note: 'n' })));
    expect(await budget()).toMatchObject({ spent_usd: '0.50' });
    expect(await scenario.problems()).toEqual([]);
  });

  test('of a past day they count in that day', async () => {
    const id = (await live()).headers.get('x-panicly-decision-id')!;
    scenario.clock.pass(24 * HOUR_MS);
    await scenario.operate('POST', `/decisions/${id}/corrections`, { cost_usd: '9', note: 'n' });
    expect(await budget()).toMatchObject({ spent_usd: '0.00' });
    expect((await scenario.operate('GET', '/usage')).json['data']).toMatchObject([{ cost_usd: '9.00' }]);
    expect(await scenario.problems()).toEqual([]);
  });

  test('only what has settled can be corrected, by an amount', async () => {
    await policy({ models: { block: ['*'] } });
    const denied = (await live()).headers.get('x-panicly-decision-id')!;
    expect((await scenario.operate('POST', `/decisions/${denied}/corrections`, { cost_usd: '1', note: 'n' })).status).toBe(409);
    for (const cost_usd of ['-1', 'x', '', '1e2'])
      expect(errorOf(await scenario.operate('POST', `/decisions/${denied}/corrections`, { cost_usd, note: 'n' }))['param']).toBe(
        'cost_usd',
      );
  });

  async function budget(): Promise<unknown> {
    const projects = (await scenario.operate('GET', '/status')).json['projects'] as { budgets: unknown[] }[];
    return projects[0]!.budgets[0];
  }
});

describe('plans and credits', () => {
  test.each([
    [{ plan: 'free' }, 'free', 150],
    [{ plan: 'business' }, 'business', 500_000],
    [{ included_requests: 0 }, 'custom', 0],
    [{ included_requests: 7 }, 'custom', 7],
    [{ plan: 'custom', included_requests: null }, 'custom', null],
    [{}, 'unlimited', null],
  ])('%j makes the plan %s of %p requests, and that is what is stored', async (input, plan, included) => {
    const made = await scenario.operate('POST', '/workspaces', { name: 'w', ...input });
    expect([made.status, made.json]).toEqual([201, expect.objectContaining({ name: 'w', plan, included_requests: included })]);
    scenario = await scenario.restart();
    expect((await scenario.operate('GET', '/workspaces/w')).json).toEqual(made.json);
  });

  test.each([
    [{ included_requests: -1 }, 'included_requests'],
    [{ included_requests: 1.5 }, 'included_requests'],
    [{ included_requests: '5' }, 'included_requests'],
    [{ plan: 'custom' }, 'included_requests'],
    [{ plan: 'free', included_requests: 5 }, 'included_requests'],
    [{ plan: 'gold' }, 'plan'],
    [{ name: '' }, 'name'],
    [{ included_request: 5 }, 'included_request'],
  ])('%j is 400', async (input, param) => {
    const answer = await scenario.operate('POST', '/workspaces', { name: 'w', ...input });
    expect([answer.status, errorOf(answer)['param']]).toEqual([400, param]);
  });

  test('0 requests block all until a credit is there, and the credit is used up by one request', async () => {
    await scenario.operate('PATCH', '/workspaces/default', { included_requests: 0 });
    expect([(await live()).status, errorOf(await live())['reason']]).toEqual([402, 'credits_exhausted']);
    const grant = await scenario.operate('POST', '/workspaces/default/credits', { requests: 1, note: 'a gift' });
    expect(grant.json).toMatchObject({ grant: { requests: 1, note: 'a gift' }, credits_left: 1 });
    expect((await live()).status).toBe(200);
    expect((await live()).status).toBe(402);
    expect((await scenario.operate('GET', '/workspaces/default/credits')).json['data']).toMatchObject([{ requests: 1, note: 'a gift' }]);
    expect(await scenario.problems()).toEqual([]);
  });

  test('credits that are not there cannot be taken back', async () => {
    await scenario.operate('POST', '/workspaces/default/credits', { requests: 3, note: 'n' });
    expect((await scenario.operate('POST', '/workspaces/default/credits', { requests: -4, note: 'n' })).status).toBe(409);
    expect((await scenario.operate('POST', '/workspaces/default/credits', { requests: -3, note: 'n' })).json['credits_left']).toBe(0);
  });
});

describe('budgets as they are written (F7, F9)', () => {
  test.each([
    ['0 blocks all', { limit_usd: '0' }, 403],
    ['null is unlimited', { limit_usd: null }, 200],
    ['0 that is only observed lets pass', { limit_usd: '0', mode: 'observe' }, 200],
  ])('%s', async (_, budget, status) => {
    const document = { budgets: [{ scope: 'project', period: 'day', ...budget }] };
    const stored = await policy(document);
    expect((stored.json['policy'] as { budgets: unknown }).budgets).toEqual([{ mode: 'enforce', ...document.budgets[0] }]);
    expect((await scenario.operate('GET', '/projects/default/policy')).json).toEqual(stored.json);
    expect((await live()).status).toBe(status);
  });

  test.each([
    [{ limit_usd: '-1' }, 'budgets.0.limit_usd'],
    [{ limit_usd: 10 }, 'budgets.0.limit_usd'],
    [{ limit_usd: '1', max_budget: '1' }, 'budgets.0.max_budget'],
    [{ limit_usd: '1', period: 'fortnight' }, 'budgets.0.period'],
  ])('%j is 400 with its path', async (budget, param) => {
    const answer = await policy({ budgets: [{ scope: 'project', period: 'day', ...budget }] });
    expect([answer.status, errorOf(answer)['param']]).toEqual([400, param]);
  });

  test('what only a control in observe mode spoke against is found', async () => {
    await policy({ budgets: [{ scope: 'project', period: 'day', limit_usd: '0', mode: 'observe' }] });
    const id = (await live()).headers.get('x-panicly-decision-id');
    const rows = (await scenario.operate('GET', '/decisions?observed=true')).json['data'] as Record<string, unknown>[];
    expect(rows).toMatchObject([{ id, decision: 'allow', observed: [{ control: 'budgets', rule: 'project day budget' }] }]);
    expect((await scenario.operate('GET', '/decisions?observed=false')).json['data']).toEqual([]);
  });
});
