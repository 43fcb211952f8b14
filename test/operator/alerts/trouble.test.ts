import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { AlertDesk } from '../../../src/operator/alerts/desk.ts';
import { LedgerNews } from '../../../src/operator/alerts/ledger-news.ts';
import { LedgerUnavailable } from '../../../src/ledger/ledger.ts';
import type { WebhookMessage, WebhookOutcome } from '../../../src/upstream/webhook.ts';
import { makeAlert } from '../../support/alerts.ts';
import { startScenario, type Scenario } from '../../support/scenario.ts';

const TAKEN: WebhookOutcome = { delivered: true, status: 200, error: null, retryAfterSeconds: null };
const REFUSED: WebhookOutcome = { delivered: false, status: 500, error: 'http_500', retryAfterSeconds: null };

let scenario: Scenario;
let desk: AlertDesk;
let news: LedgerNews;
let sent: string[];
let outcome: WebhookOutcome;
/** Whether the ledger can be written. */
let working: boolean;
/** Whether every look meets a defect. */
let isDefective: boolean;
let failures: unknown[];
const onFailure = (error: unknown) => void failures.push(error);
/** What each sending waits for. */
let gated: Promise<void>;

/** A desk over a real ledger that can be made to refuse its writes. */
beforeEach(async () => {
  scenario = await startScenario();
  await makeAlert(scenario, { url: 'https://alerts.example.com/x', events: ['ledger', 'sentry'] });
  [sent, outcome, working, news, gated] = [[], TAKEN, true, new LedgerNews(), Promise.resolve()];
  [isDefective, failures] = [false, []];
  const { office } = scenario;
  const broken = () => Promise.reject(new LedgerUnavailable('ledger_unavailable'));
  const store = new Proxy(office.store, {
    get: (real, name) => {
      if (!working && (name === 'fireAlerts' || name === 'recordDeliveries')) return broken;
      const value: unknown = Reflect.get(real, name);
      return typeof value === 'function' ? (value.bind(real) as unknown) : value;
    },
  });
  const engine = {
    ...office.engine,
    get available() {
      return working;
    },
  };
  const send = async ({ body }: WebhookMessage) => {
    sent.push((JSON.parse(body) as { type: string }).type);
    await gated;
    return outcome;
  };
  const sender = { send, close: () => undefined };
  const registry = new Proxy(office.registry, {
    get: (real, name) => {
      if (isDefective) throw new Error('a defect');
      const value: unknown = Reflect.get(real, name, real);
      return typeof value === 'function' ? (value.bind(real) as unknown) : value;
    },
  });
  const room = { ...office, store, engine, registry };
  desk = new AlertDesk({ room, snapshot: await office.store.loadDirectory(), sender, news, random: () => 0, onFailure });
});
afterEach(() => scenario.close());

async function look(passMs = 0): Promise<void> {
  scenario.clock.pass(passMs);
  await desk.turn();
  await desk.idle();
}

const rows = async () =>
  (await scenario.office.store.listDeliveries({}, null, 10)).items.map(({ type, state, attempts }) => [type, state, attempts]);

describe('trouble of the ledger', () => {
  test('goes out from memory, is recorded when the ledger works again, and its end is told once it is steady', async () => {
    await look();
    working = false;
    news.health(false, 'database or disk is full');
    await look();
    await look(1_000);
    expect(sent).toEqual(['ledger.unavailable']);
    expect(await rows()).toEqual([]);
    working = true;
    await look(1_000);
    expect(await rows()).toEqual([['ledger.unavailable', 'delivered', 1]]);
    await look(5_000);
    await look();
    expect(sent).toEqual(['ledger.unavailable', 'ledger.available']);
    expect((await rows()).map((row) => row.join(' ')).toSorted()).toEqual([
      'ledger.available delivered 1',
      'ledger.unavailable delivered 1',
    ]);
  });

  test('is tried again from memory too, and goes on from there when it can be recorded', async () => {
    [working, outcome] = [false, REFUSED];
    await look();
    expect(sent).toEqual([]);
    await look();
    await look(2_500);
    expect(sent).toHaveLength(2);
    working = true;
    await look();
    expect(await rows()).toEqual([['ledger.unavailable', 'pending', 2]]);
    outcome = TAKEN;
    await look(5_000);
    expect(await rows()).toContainEqual(['ledger.unavailable', 'delivered', 3]);
  });

  test('that is on its way from memory when the ledger comes back is told once', async () => {
    const gate = Promise.withResolvers<void>();
    [working, gated] = [false, gate.promise];
    news.health(false, 'database or disk is full');
    await desk.turn();
    working = true;
    await desk.turn();
    gate.resolve();
    await desk.idle();
    await look();
    await look();
    expect(sent).toEqual(['ledger.unavailable']);
    expect(await rows()).toEqual([['ledger.unavailable', 'delivered', 1]]);
  });

  test('that is over before anybody looked is told, and what it broke off is not repeated', async () => {
    news.health(false, 'the writer died');
    news.health(true, 'the ledger commits again');
    await look();
    await look();
    await look(6_000);
    await look();
    expect(sent).toEqual(['ledger.unavailable', 'ledger.available']);
  });

  test('keeps back what has nothing to do with it', async () => {
    working = false;
    news.health(false, 'database or disk is full');
    desk.switched({ seq: 1, workspaceId: null, projectId: 1, enabled: true, author: 'system', atMs: scenario.clock.nowMs() });
    await look();
    expect(sent).toEqual(['ledger.unavailable']);
    working = true;
    await look();
    expect(sent).toEqual(['ledger.unavailable', 'sentry.on']);
  });

  test('a refused row is told once an hour', async () => {
    news.rowRefused(7);
    news.rowRefused(8);
    await look();
    news.rowRefused(9);
    await look();
    expect(sent).toEqual(['ledger.row_refused']);
    news.rowRefused(10);
    await look(3_600_000);
    expect(sent).toEqual(['ledger.row_refused', 'ledger.row_refused']);
  });

  test('what was delivered and could not be recorded is not sent again while the process lives', async () => {
    desk.switched({ seq: 1, workspaceId: null, projectId: 1, enabled: true, author: 'system', atMs: scenario.clock.nowMs() });
    const gate = Promise.withResolvers<void>();
    gated = gate.promise;
    await desk.turn();
    working = false;
    gate.resolve();
    await desk.idle();
    await look(1_000);
    working = true;
    await look(1_000);
    expect(sent.filter((type) => type === 'sentry.on')).toHaveLength(1);
    await look(1_000);
    expect((await rows()).find(([type]) => type === 'sentry.on')).toEqual(['sentry.on', 'delivered', 1]);
  });
});

test('a defect in a look is reported once and ends neither the looks nor the server', async () => {
  isDefective = true;
  await look();
  await look();
  expect(failures.map(String)).toEqual(['Error: a defect']);
  isDefective = false;
  news.health(false, 'the disk is full');
  await look();
  expect(sent).toEqual(['ledger.unavailable']);
  isDefective = true;
  await look();
  expect(failures).toHaveLength(2);
});
