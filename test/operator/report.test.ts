import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Candidate } from '../../src/domain/candidate.ts';
import type { Settlement } from '../../src/domain/decision.ts';
import type { MonthlyReportJson } from '../../src/http/schemas/operator.ts';
import { allowed, always, candidate, denied, settlement } from '../ledger/harness.ts';
import { startScenario, TestClock, type Scenario } from '../support/scenario.ts';

const DAY_MS = 86_400_000;
const USD = 1_000_000_000;
let scenario: Scenario;
let [month, before] = ['', ''];

/** A settled request of the live key of the first project, unless it says otherwise; resolves to its id. */
async function spent(usd: number, over: Partial<Settlement> = {}, of: Partial<Candidate> = {}): Promise<string> {
  const { ledger } = scenario.ledger;
  const decision = await ledger.admit(candidate({ connectionId: 0, ...of }), 1, always(allowed()));
  ledger.settle(settlement(decision, { costNanoUsd: usd * USD, ...over }));
  await ledger.drain();
  const { json } = await scenario.operate('GET', '/decisions?limit=1');
  return (json['data'] as { id: string }[])[0]!.id;
}

async function report(query: string): Promise<MonthlyReportJson> {
  const { status, json } = await scenario.operate('GET', `/reports/monthly?${query}`);
  expect(status).toBe(200);
  return json as unknown as MonthlyReportJson;
}

function monthOf(clock: TestClock): string {
  return new Date(clock.nowMs()).toISOString().slice(0, 7);
}

beforeAll(async () => {
  const clock = new TestClock();
  scenario = await startScenario(clock);
  const budgets = [{ scope: 'project', period: 'month', limit_usd: '8.00', mode: 'enforce' }];
  await scenario.operate('PUT', '/projects/default/policy', { budgets });
  const web = (await scenario.operate('POST', '/projects', { name: 'web' })).json as { id: string };
  before = monthOf(clock);
  await spent(2.5);
  while (monthOf(clock) === before) clock.pass(DAY_MS);
  month = monthOf(clock);
  await spent(1);
  await spent(2, {}, { model: 'o4-mini', models: ['o4-mini'] });
  await spent(0.5, { basis: 'estimated', outcome: 'client_aborted', usage: null });
  await spent(0.25, { basis: 'held', outcome: 'unknown', usage: null });
  const corrected = await spent(4, { basis: 'held', outcome: 'unknown', usage: null });
  await scenario.operate('POST', `/decisions/${corrected}/corrections`, { cost_usd: '9', note: 'first' });
  await scenario.operate('POST', `/decisions/${corrected}/corrections`, { cost_usd: '0.25', note: 'their bill' });
  await scenario.ledger.ledger.admit(candidate({ connectionId: 0 }), 1, always(denied()));
  await spent(100, {}, { environment: 'test', keyId: 2 });
  await spent(3, {}, { projectId: 2 });
  await scenario.operate('DELETE', `/projects/${web.id}`);
});
afterAll(() => scenario.close());

describe('the monthly report', () => {
  test('adds up by project, with what is not sure apart', async () => {
    const { projects, total } = await report(`month=${month}`);
    const [first, second] = projects;
    expect(first).toMatchObject({
      project: 'default',
      requests: 5,
      denied: 1,
      cost_usd: '4.00',
      estimated: { requests: 1, cost_usd: '0.50' },
      unknown: { requests: 1, cost_usd: '0.25' },
      corrections: { count: 1, difference_usd: '-3.75' },
      before: { requests: 1, cost_usd: '2.50' },
      change_usd: '1.50',
      budget: { rule: 'project month budget', limit_usd: '8.00', used_percent: 50 },
    });
    expect(first!.models.map(({ model, cost_usd }) => [model, cost_usd])).toEqual([
      ['gpt-4.1-mini', '2.00'],
      ['o4-mini', '2.00'],
    ]);
    expect(second).toMatchObject({
      project: 'web',
      requests: 1,
      cost_usd: '3.00',
      budget: null,
      before: { requests: 0, cost_usd: '0.00' },
    });
    expect(total).toMatchObject({ requests: 6, denied: 1, cost_usd: '7.00', input_tokens: 3 * 498, change_usd: '4.50' });
  });

  test('equals the usage of the same month', async () => {
    const { total } = await report(`month=${month}`);
    const { json } = await scenario.operate('GET', `/usage?group_by=environment&from=${month}-01&environment=live`);
    const [line] = json['data'] as Record<string, unknown>[];
    expect(line!['cost_usd']).toBe(total.cost_usd);
    expect(line!['requests']).toBe(total.requests + total.denied);
  });

  test('of one project, of the month before, and of a month without anything', async () => {
    expect((await report(`month=${month}&project=default`)).projects.map(({ project }) => project)).toEqual(['default']);
    expect((await report(`month=${before}`)).total).toMatchObject({ requests: 1, cost_usd: '2.50', change_usd: '2.50' });
    expect((await report('month=2020-02')).total).toMatchObject({ requests: 0, denied: 0, cost_usd: '0.00' });
  });

  test('as CSV, a line for each project and model', async () => {
    const { headers, text } = await scenario.operate('GET', `/reports/monthly?month=${month}&format=csv`);
    expect(headers.get('content-type')).toStartWith('text/csv');
    const lines = text.trimEnd().split('\r\n');
    expect(lines[0]).toStartWith('month,project_id,project,model,requests,denied,');
    expect(lines.slice(1).map((line) => line.split(',').slice(2, 6).join(' '))).toEqual([
      'default  5 1',
      'default gpt-4.1-mini 4 1',
      'default o4-mini 1 0',
      'web  1 0',
      'web gpt-4.1-mini 1 0',
    ]);
  });

  test('a day budget is counted for the days of the month', async () => {
    await scenario.operate('PUT', '/projects/default/policy', {
      budgets: [{ scope: 'project', period: 'day', limit_usd: '1.00', mode: 'enforce' }],
    });
    const { projects } = await report('month=2024-02&project=default');
    expect(projects[0]!.budget).toEqual({ rule: 'project day budget x 29', limit_usd: '29.00', used_percent: 0 });
  });

  test.each(['month=2026-13', 'month=October', 'month=2026-1', 'format=xml'])('%s is 400', async (query) => {
    expect((await scenario.operate('GET', `/reports/monthly?${query}`)).status).toBe(400);
  });
});
