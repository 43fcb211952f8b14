import { Database } from 'bun:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { RESTORE_AUTHOR } from '../../src/operator/restore.ts';
import { connectDear, dollar, look, makeAlert, using } from '../support/alerts.ts';
import { startMockProvider, type MockProvider } from '../support/mock-provider.ts';
import { Receiver } from '../support/receiver.ts';
import { startScenario, type Scenario } from '../support/scenario.ts';

const DAY_MS = 86_400_000;
let provider: MockProvider;
let receiver: Receiver;
let scenario: Scenario;

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

const turnSentry = (enabled: boolean) => scenario.operate('PUT', '/projects/default/sentry', { enabled });
const deliveries = async (query = '') =>
  (await scenario.operate('GET', `/alerts/deliveries${query}`)).json['data'] as Record<string, unknown>[];

describe('budgets', () => {
  beforeEach(() => connectDear(scenario, provider));

  test('50, 80 and 100 % are told once each over concurrent traffic, and again in the next period', async () => {
    await makeAlert(scenario, { url: receiver.url(), events: ['budget'] });
    const traffic = Promise.all(Array.from({ length: 30 }, () => dollar(scenario)));
    while (receiver.arrived.length < 2) {
      await look(scenario);
      await Bun.sleep(1);
    }
    await traffic;
    expect((await dollar(scenario)).status).toBe(403);
    for (let turn = 0; turn < 3; turn++) await look(scenario);
    expect(receiver.all('threshold_percent')).toEqual([50, 80, 100]);
    expect(receiver.all('refusing')).toEqual([false, false, true]);
    expect(receiver.arrived[2]!.json).toMatchObject({
      type: 'budget.threshold',
      project: { name: 'default' },
      workspace: { name: 'default' },
      rule: 'project day budget',
      limit_usd: '10.00',
      message: expect.stringContaining('is used up: requests are being refused'),
      spent_usd: expect.stringMatching(/^9\.0000\d+$/),
    });
    receiver.arrived.length = 0;
    scenario.clock.pass(DAY_MS);
    for (let count = 0; count < 5; count++) await dollar(scenario);
    await look(scenario);
    await look(scenario);
    expect(receiver.all('threshold_percent')).toEqual([50]);
  });

  test('a budget that is used up in flight only is not told as used up', async () => {
    await makeAlert(scenario, { url: receiver.url(), events: ['budget'] });
    const answers = await Promise.all(Array.from({ length: 12 }, () => dollar(scenario)));
    expect(answers.filter(({ status }) => status === 403).length).toBeGreaterThan(0);
    await look(scenario);
    expect(receiver.all('threshold_percent')).toEqual([50, 80]);
  });

  test('one request that is too large for a fresh budget is not told', async () => {
    await makeAlert(scenario, { url: receiver.url(), events: ['budget'] });
    expect((await dollar(scenario, { max_tokens: 500 })).status).toBe(403);
    await look(scenario);
    expect(receiver.arrived).toEqual([]);
  });

  test('what is true when an alert is made is told at once; other thresholds are the choice of each alert', async () => {
    for (let count = 0; count < 8; count++) await dollar(scenario);
    await makeAlert(scenario, { url: receiver.url('/a'), thresholds: [80], events: ['budget'] });
    await makeAlert(scenario, { url: receiver.url('/b'), thresholds: [75, 79, 95], events: ['budget', 'sentry'] });
    await makeAlert(scenario, { url: receiver.url('/c'), events: ['sentry'] });
    await look(scenario);
    await look(scenario);
    const told = receiver.arrived.map(({ path, json }) => `${path} ${String(json['threshold_percent'])}`);
    expect(told.toSorted()).toEqual(['/a 80', '/b 75', '/b 79']);
  });

  test('budgets of keys and of end users name whose they are; a raised limit is another budget', async () => {
    const budgets = [
      { scope: 'key', period: 'day', limit_usd: '2.00' },
      { scope: 'user', period: 'total', limit_usd: '2.00' },
      { scope: 'workspace', period: 'month', limit_usd: '0' },
    ];
    await scenario.operate('PUT', '/projects/default/policy', { abuse: { mode: 'off' }, budgets: budgets.slice(0, 2) });
    await makeAlert(scenario, { url: receiver.url(), events: ['budget'], thresholds: [50] });
    await dollar(scenario, { user: 'ann' });
    await look(scenario);
    expect(receiver.lines('scope', 'end_user', 'key')).toEqual([expect.stringMatching(/^key \w/), 'user ann']);
    receiver.arrived.length = 0;
    await scenario.operate('PUT', '/projects/default/policy', { abuse: { mode: 'off' }, budgets: [{ ...budgets[0], limit_usd: '1.50' }] });
    scenario.clock.pass(31_000);
    await look(scenario);
    expect(receiver.all('limit_usd')).toEqual(['1.50']);
  });

  test('test keys alarm nobody', async () => {
    await makeAlert(scenario, { url: receiver.url() });
    await scenario.chat(scenario.made.testKey, { model: 'sim-overrun' });
    await look(scenario);
    expect(receiver.arrived).toEqual([]);
  });

  test('an overrun is told with its decision, once an hour', async () => {
    await makeAlert(scenario, { url: receiver.url(), events: ['overrun'] });
    provider.behave(using(15));
    const answer = await dollar(scenario);
    await dollar(scenario);
    await look(scenario);
    expect(receiver.arrived).toHaveLength(1);
    expect(receiver.arrived[0]!.json).toMatchObject({
      type: 'request.overrun',
      decision_id: answer.headers.get('x-panicly-decision-id')!,
      connection: 'mock',
      cost_usd: expect.stringMatching(/^1\.5/),
      hold_usd: answer.headers.get('x-panicly-cost-hold-usd')!,
    });
  });
});

describe('other happenings', () => {
  test('turns of the Sentry switch, of a project and of its workspace, by whom', async () => {
    await makeAlert(scenario, { url: receiver.url(), events: ['sentry'], project: 'default' });
    await turnSentry(true);
    await scenario.operate('PUT', '/workspaces/default/sentry', { enabled: true });
    await turnSentry(false);
    await look(scenario);
    await look(scenario);
    expect(receiver.lines('type', 'scope')).toEqual(['sentry.off project', 'sentry.on project', 'sentry.on workspace']);
    expect(receiver.arrived[0]!.json['message']).toMatch(
      /^Sentry Mode was switched o(?:n|ff) in (?:project|workspace) default by first operator\.$/,
    );
  });

  test('included volume and credits at 80 and 100 %', async () => {
    await connectDear(scenario, provider, { budgets: [], abuse: { mode: 'off' } });
    await scenario.operate('PATCH', '/workspaces/default', { included_requests: 5 });
    await scenario.operate('POST', '/workspaces/default/credits', { requests: 5, note: 'first' });
    await makeAlert(scenario, { url: receiver.url(), events: ['volume'] });
    const told: unknown[] = [];
    for (let count = 0; count < 10; count++) {
      await dollar(scenario);
      await look(scenario);
      told.push(
        ...receiver.arrived.splice(0).map(({ json }) => `${count + 1} ${String(json['type'])} ${String(json['threshold_percent'])}`),
      );
    }
    expect(told).toEqual(['4 volume.threshold 80', '5 volume.threshold 100', '9 credits.threshold 80', '10 credits.threshold 100']);
    await scenario.operate('POST', '/workspaces/default/credits', { requests: 1, note: 'second' });
    await look(scenario);
    expect(receiver.arrived).toEqual([]);
    await dollar(scenario);
    await look(scenario);
    expect(receiver.lines('threshold_percent', 'granted')).toEqual(['100 1', '80 1']);
  });

  test('a provider that fails is told once, and that it has recovered', async () => {
    await connectDear(scenario, provider, { budgets: [], abuse: { mode: 'off' } });
    await makeAlert(scenario, { url: receiver.url(), events: ['provider'], failure_min_requests: 4, failure_window_seconds: 60 });
    provider.behave({ kind: 'reset' });
    for (let count = 0; count < 4; count++) {
      expect(receiver.arrived).toEqual([]);
      await dollar(scenario);
      await look(scenario);
    }
    await look(scenario);
    expect(receiver.arrived.map(({ json }) => [json['type'], json['failures'], json['requests'], json['connection']])).toEqual([
      ['provider.failing', 4, 4, 'mock'],
    ]);
    scenario.clock.pass(120_000);
    await look(scenario);
    expect(receiver.arrived).toHaveLength(1);
    scenario = await scenario.restart();
    provider.behave(using(1));
    await dollar(scenario);
    await look(scenario);
    await look(scenario);
    expect(receiver.all('type')).toEqual(['provider.failing', 'provider.recovered']);
  });

  test('a clock that jumped forward, and a backup that was restored', async () => {
    await makeAlert(scenario, { url: receiver.url(), events: ['clock', 'restore'] });
    scenario.clock.jump(3_600_000);
    await look(scenario);
    await look(scenario);
    scenario.office.engine.confirmClock();
    const turn = await scenario.ledger.store.setSentry({ workspaceId: 1 }, true, RESTORE_AUTHOR);
    scenario.office.registry.putSwitch(turn);
    await look(scenario);
    await look(scenario);
    expect(receiver.all('type')).toEqual(['clock.unconfirmed', 'restore.started']);
  });
});

describe('nothing is lost, nothing told twice', () => {
  test('after a crash between firing and delivery exactly the missing ones are delivered', async () => {
    await makeAlert(scenario, { url: receiver.url(), events: ['sentry'] });
    receiver.behave((_, index) => new Response(null, { status: index === 0 ? 200 : 500 }));
    for (const enabled of [true, false, true]) await turnSentry(enabled);
    await look(scenario);
    await look(scenario);
    const taken = String(receiver.arrived[0]!.json['id']);
    const refused = receiver.lines('id').filter((id) => id !== taken);
    expect(refused).toHaveLength(2);
    receiver.reset();
    scenario = await scenario.restart();
    await look(scenario);
    expect(receiver.arrived).toEqual([]);
    scenario.clock.pass(10_000);
    await look(scenario);
    await look(scenario);
    expect(receiver.lines('id')).toEqual(refused);
    expect(receiver.arrived.every(({ json, headers }) => headers.get('panicly-event-id') === json['id'])).toBe(true);
    expect(receiver.all('id')).not.toContain(taken);
    const ended = (await deliveries()).map(({ state, attempts }) => `${String(state)} ${String(attempts)}`);
    expect(ended.toSorted()).toEqual(['delivered 1', 'delivered 2', 'delivered 2']);
  });

  test('what happened before a crash and was never looked at is told after it', async () => {
    await connectDear(scenario, provider);
    await makeAlert(scenario, { url: receiver.url() });
    await turnSentry(true);
    await turnSentry(false);
    for (let count = 0; count < 8; count++) await dollar(scenario);
    provider.behave(using(15));
    await dollar(scenario);
    expect((await dollar(scenario)).status).toBe(403);
    scenario = await scenario.restart();
    await look(scenario);
    scenario = await scenario.restart();
    await look(scenario);
    expect(receiver.lines('type', 'threshold_percent')).toEqual([
      'budget.threshold 100',
      'budget.threshold 50',
      'budget.threshold 80',
      'request.overrun',
      // Of several turns the last one counts: the others are in the audit.
      'sentry.off',
    ]);
  });

  test('a receiver that takes nothing is tried for a day with growing pauses, then given up', async () => {
    await makeAlert(scenario, { url: receiver.url(), events: ['sentry'] });
    receiver.behave(() => new Response('a text of the receiver', { status: 503 }));
    await turnSentry(true);
    await look(scenario);
    const first = Date.parse(String((await deliveries())[0]!['next_attempt_at']));
    expect(first - scenario.clock.nowMs()).toBeLessThanOrEqual(5_000);
    let waited = 0;
    for (; waited < 30 * 3_600_000 && (await deliveries())[0]!['state'] === 'pending'; waited += 3_600_000) {
      scenario.clock.pass(3_600_000);
      await look(scenario);
    }
    expect(waited).toBeGreaterThan(22 * 3_600_000);
    expect(await deliveries('?state=failed')).toMatchObject([{ state: 'failed', last_error: 'http_503', next_attempt_at: null }]);
    const attempts = receiver.arrived.length;
    scenario.clock.pass(DAY_MS);
    await look(scenario);
    expect(receiver.arrived).toHaveLength(attempts);
  });

  test('an alert that was removed tells nothing more, and its secrets are wiped', async () => {
    const { id } = await makeAlert(scenario, { url: receiver.url(), events: ['sentry'] });
    receiver.behave(() => new Response(null, { status: 500 }));
    await turnSentry(true);
    await look(scenario);
    expect((await scenario.operate('DELETE', `/alerts/${String(id)}`)).status).toBe(204);
    receiver.reset();
    scenario.clock.pass(60_000);
    await look(scenario);
    expect(receiver.arrived).toEqual([]);
    const { alerts } = await scenario.ledger.store.loadDirectory();
    expect(alerts).toEqual([]);
    const file = new Database(ledgerPath(scenario.dataDir), { readonly: true });
    expect(file.query('SELECT sealed_url, sealed_secret FROM alerts').all()).toEqual([{ sealed_url: null, sealed_secret: null }]);
    file.close();
    expect((await scenario.ledger.store.listDeliveries({}, null, 10)).items).toMatchObject([
      { state: 'failed', lastError: 'alert_removed' },
    ]);
  });
});

describe('beside the path', () => {
  test('receivers that never answer hold up neither requests nor another alert', async () => {
    await connectDear(scenario, provider);
    receiver.behave(({ path }) => (path === '/slow' ? null : new Response('ok')));
    await makeAlert(scenario, { url: receiver.url('/slow') });
    await makeAlert(scenario, { url: receiver.url('/quick') });
    for (const enabled of [true, false, true, false]) await turnSentry(enabled);
    await scenario.office.alerts.turn();
    const answers = await Promise.all(Array.from({ length: 9 }, () => dollar(scenario)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const quick = () => receiver.arrived.filter(({ path }) => path === '/quick').length;
    while (quick() < 6) {
      await scenario.office.alerts.turn();
      await Bun.sleep(1);
    }
    expect(receiver.arrived.filter(({ path }) => path === '/slow')).toHaveLength(2);
    await scenario.office.alerts.postman.close(0);
    expect((await deliveries('?state=pending')).every(({ attempts }) => attempts === 0)).toBe(true);
  });
});
