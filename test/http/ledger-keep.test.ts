import { afterAll, beforeAll, expect, test } from 'bun:test';
import { startScenario, type Scenario } from '../support/scenario.ts';

let scenario: Scenario;
beforeAll(async () => {
  scenario = await startScenario();
  await scenario.chat(scenario.made.testKey);
});
afterAll(() => scenario.close());

const reason = ({ json }: { json: Readonly<Record<string, unknown>> }) => (json['error'] as { reason?: unknown }).reason;

test('the head of the ledger is what a later verify must still find', async () => {
  const { json } = await scenario.operate('GET', '/ledger/head');
  const head = String(json['head']);
  expect(head).toMatch(/^head-\d+-\d+-\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{64}$/);
  await scenario.chat(scenario.made.testKey);
  const whole = await scenario.operate('GET', `/ledger/verify?anchor=${head}`);
  expect(whole.json).toMatchObject({ ok: true, problems: [], first_bad_row: null, notes: [], decisions: 2 });
  const other = await scenario.operate('GET', `/ledger/verify?anchor=${head.replace(/^head-\d+/, 'head-4000')}`);
  expect(other.json).toMatchObject({ ok: false, problems: [expect.stringContaining('its tail was cut')] });
  const bad = await scenario.operate('GET', '/ledger/verify?anchor=nonsense');
  expect([bad.status, reason(bad)]).toEqual([400, 'invalid_value']);
});

test('old decisions go on an operator\u2019s word, and what they came to stays', async () => {
  expect((await scenario.operate('GET', '/ledger/prune')).json).toEqual({ run: null });
  const few = await scenario.operate('POST', '/ledger/prune', { older_than_days: 32 });
  expect([few.status, reason(few)]).toEqual([400, 'invalid_value']);
  const usage = await scenario.operate('GET', '/usage?environment=test');
  scenario.clock.pass(41 * 86_400_000);
  await scenario.chat(scenario.made.testKey);
  const begun = await scenario.operate('POST', '/ledger/prune', { older_than_days: 40 });
  expect([begun.status, begun.json['running'], begun.json['older_than_days']]).toEqual([202, true, 40]);
  await scenario.office.pruning.ended();
  const { json } = await scenario.operate('GET', '/ledger/prune');
  expect(json['run']).toMatchObject({ running: false, decisions: 2, settlements: 2, problem: null });
  expect((await scenario.operate('GET', '/decisions')).json['data']).toHaveLength(1);
  expect((await scenario.operate('GET', '/usage?environment=test')).json['data']).toContainEqual((usage.json['data'] as unknown[])[0]);
  expect((await scenario.operate('GET', '/audit')).json['data']).toContainEqual(
    expect.objectContaining({ action: 'ledger.prune', detail: expect.objectContaining({ older_than_days: 40 }) }),
  );
  expect((await scenario.operate('GET', '/ledger/verify')).json).toMatchObject({ ok: true, decisions: 1 });
});
