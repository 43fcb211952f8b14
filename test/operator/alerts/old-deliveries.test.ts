import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { isLasting, KEPT_MS } from '../../../src/operator/alerts/old-deliveries.ts';
import { connectDear, dollar, look, makeAlert, using } from '../../support/alerts.ts';
import { startMockProvider, type MockProvider } from '../../support/mock-provider.ts';
import { Receiver } from '../../support/receiver.ts';
import { startScenario, type Scenario } from '../../support/scenario.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
let provider: MockProvider;
let receiver: Receiver;
let scenario: Scenario;

/** Type and state of every row of the outbox, oldest first; budgets with their period. */
async function rows(): Promise<string[]> {
  const { items } = await scenario.ledger.store.listDeliveries({}, null, 1_000);
  return items.toReversed().map(({ type, state, payload }) => {
    const { period } = JSON.parse(payload) as { period?: string };
    return `${type}${period === undefined ? '' : ` ${period}`} ${state}`;
  });
}

test.each([
  ['budget.threshold', 'budget prj_1 project total budget 10000000000 total 80', true],
  ['budget.threshold', 'budget prj_1 ann total 80 user day budget 10000000000 1790000000000 80', false],
  ['budget.threshold', 'budget prj_1 two\nlines user total budget 1 total 100', true],
  ['budget.threshold', 'budget prj_1 project rolling budget 1 86400000:20650 50', false],
  ['volume.threshold', 'volume wsp_1 150 2026-11 80', false],
  ['credits.threshold', 'credits wsp_1 17 80', true],
  ['restore.started', 'restore 1790000000000', true],
  ['sentry.on', 'sentry 12', false],
  ['request.overrun', 'overrun 1 0 497222', false],
  ['clock.unconfirmed', 'clock 1790000000000', false],
  ['test', 'test evt_1', false],
])('%s, %p: lasting %p', (type, dedupeKey, lasting) => {
  expect(isLasting({ type, dedupeKey })).toBe(lasting);
});

describe('over the real program', () => {
  beforeAll(async () => {
    provider = await startMockProvider();
    receiver = new Receiver();
  });
  afterAll(async () => {
    await provider.close();
    await receiver.close();
  });
  beforeEach(async () => {
    receiver.reset();
    scenario = await startScenario();
  });
  afterEach(() => scenario.close());

  test('what was told or given up goes; what waits, and what can be noticed again, stays and is not told twice', async () => {
    await connectDear(scenario, provider, {
      abuse: { mode: 'off' },
      loop_guard: { mode: 'off' },
      budgets: ['day', 'month', 'total'].map((period) => ({ scope: 'project', period, limit_usd: '2.00' })),
    });
    await makeAlert(scenario, { url: receiver.url('/taken'), thresholds: [50], events: ['budget', 'overrun'] });
    provider.behave(using(15));
    await dollar(scenario);
    await look(scenario);
    await makeAlert(scenario, { url: receiver.url('/refused'), events: ['sentry'] });
    receiver.behave(({ path }) => new Response(null, { status: path === '/taken' ? 200 : 500 }));
    await scenario.operate('PUT', '/projects/default/sentry', { enabled: true });
    await look(scenario);
    const told = [
      'request.overrun delivered',
      'budget.threshold day delivered',
      'budget.threshold month delivered',
      'budget.threshold total delivered',
    ];
    expect((await rows()).toSorted()).toEqual([...told, 'sentry.on pending'].toSorted());

    scenario.clock.pass(KEPT_MS - HOUR_MS);
    await look(scenario);
    expect((await rows()).toSorted()).toEqual([...told, 'sentry.on failed'].toSorted());
    await scenario.operate('PUT', '/projects/default/sentry', { enabled: false });
    await look(scenario);
    scenario.clock.pass(2 * HOUR_MS);
    await look(scenario);
    expect(await rows()).toEqual(['budget.threshold total delivered', 'sentry.off pending']);

    const arrived = receiver.arrived.length;
    scenario = await scenario.restart();
    await look(scenario);
    await look(scenario);
    expect(receiver.arrived.slice(arrived).map(({ json }) => json['type'])).toEqual([]);
    scenario.clock.pass(DAY_MS + HOUR_MS);
    await look(scenario);
    expect((await rows()).at(-1)).toBe('sentry.off failed');
  });

  test('the last word on a provider stays for as long as nothing else was said, those before it go', async () => {
    await connectDear(scenario, provider, { budgets: [], abuse: { mode: 'off' } });
    await makeAlert(scenario, { url: receiver.url(), events: ['provider'], failure_min_requests: 2, failure_window_seconds: 60 });
    const call = async (isGood: boolean) => {
      provider.behave(isGood ? using(1) : { kind: 'reset' });
      for (let count = 0; count < 2; count++) await dollar(scenario);
      await look(scenario);
      scenario.clock.pass(61_000);
    };
    for (const isGood of [false, true, false]) await call(isGood);
    expect(await rows()).toEqual(['provider.failing delivered', 'provider.recovered delivered', 'provider.failing delivered']);
    scenario.clock.pass(KEPT_MS);
    await look(scenario);
    expect(await rows()).toEqual(['provider.failing delivered']);
    scenario = await scenario.restart();
    await call(true);
    expect(receiver.arrived.at(-1)!.json['type']).toBe('provider.recovered');
  });

  test('nothing stays of an alert that was removed, however many rows there are', async () => {
    const { id } = await makeAlert(scenario, { url: receiver.url(), events: ['restore'] });
    const { store, ledger } = scenario.ledger;
    const [alert] = scenario.office.alerts.book.list();
    const row = (index: number) => ({
      publicId: `evt_${index}`,
      alertId: alert!.alert.id,
      dedupeKey: `restore ${index}`,
      type: 'restore.started',
      subject: 'server',
      payload: '{}',
      createdAtMs: ledger.nowMs(),
      state: 'delivered' as const,
      attempts: 1,
      nextAttemptAtMs: null,
      lastError: null,
    });
    await store.fireAlerts(Array.from({ length: 600 }, (_, index) => row(index)));
    scenario.clock.pass(KEPT_MS + HOUR_MS);
    for (let turn = 0; turn < 4; turn++) await look(scenario);
    expect(await rows()).toHaveLength(600);
    expect((await scenario.operate('DELETE', `/alerts/${String(id)}`)).status).toBe(204);
    scenario.clock.pass(HOUR_MS);
    for (let turn = 0; turn < 4; turn++) await look(scenario);
    expect(await rows()).toEqual([]);
  });
});
