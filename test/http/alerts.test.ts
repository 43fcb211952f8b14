import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { alertsStanding, resealAlerts } from '../../src/operator/alerts.ts';
import { Postman } from '../../src/operator/alerts/postman.ts';
import { MasterKey } from '../../src/upstream/secrets.ts';
import { look, makeAlert } from '../support/alerts.ts';
import { Receiver } from '../support/receiver.ts';
import { startScenario, type Scenario } from '../support/scenario.ts';

const CANARY = 'canary-T0KEN-5f2c9d31';
let receiver: Receiver;
let scenario: Scenario;

beforeAll(async () => {
  receiver = new Receiver();
  scenario = await startScenario();
});
afterAll(async () => {
  await scenario.close();
  await receiver.close();
});
beforeEach(async () => {
  receiver.reset();
  for (const { alert } of scenario.office.alerts.book.list()) await scenario.operate('DELETE', `/alerts/${alert.publicId}`);
});

const body = (over: object = {}) => ({ name: 'ops', url: receiver.url(`/${CANARY}`), ...over });
const errorOf = (json: Readonly<Record<string, unknown>>) => json['error'] as { reason: string; param: string; message: string };

describe('POST /alerts', () => {
  test('takes its defaults, and shows of the URL its host only', async () => {
    const made = await makeAlert(scenario, body());
    expect(made).toMatchObject({
      name: 'ops',
      project_id: null,
      events: ['budget', 'volume', 'sentry', 'overrun', 'provider', 'ledger', 'clock', 'restore'],
      thresholds: [50, 80, 100],
      failure_percent: 50,
      failure_window_seconds: 300,
      failure_min_requests: 10,
      format: 'generic',
      url: `${new URL(receiver.url()).origin}/…`,
      secret: expect.stringMatching(/^whsec_[0-9a-f]{64}$/),
    });
    const { secret: _secret, ...shown } = made;
    expect((await scenario.operate('GET', `/alerts/${String(made['id'])}`)).json).toEqual(shown);
    expect((await scenario.operate('GET', '/alerts')).json).toEqual({ data: [shown], next_cursor: null });
  });

  test.each([
    ['an address of a metadata service', { url: 'https://169.254.169.254/x' }, 'url'],
    ['plain http to others', { url: `http://alerts.example.com/${CANARY}` }, 'url'],
    ['no URL', { url: CANARY }, 'url'],
    ['a threshold of 0', { thresholds: [0] }, 'thresholds.0'],
    ['a threshold past 100', { thresholds: [50, 101] }, 'thresholds.1'],
    ['no threshold', { thresholds: [] }, 'thresholds'],
    ['an event that there is not', { events: ['weather'] }, 'events.0'],
    ['no event', { events: [] }, 'events'],
    ['another format', { format: 'email' }, 'format'],
    ['a window of a day', { failure_window_seconds: 86_400 }, 'failure_window_seconds'],
    ['a project and a workspace', { project: 'default', workspace: 'default' }, 'project'],
    ['a field that it does not know', { headers: {} }, 'headers'],
  ])('refuses %s, and names the field', async (_, over, param) => {
    const { status, json, text } = await scenario.operate('POST', '/alerts', body(over));
    expect([status, errorOf(json).param]).toEqual([400, param]);
    expect(text).not.toContain(CANARY);
  });

  test('a project that there is not is 404', async () => {
    expect((await scenario.operate('POST', '/alerts', body({ project: 'nobody' }))).status).toBe(404);
  });
});

describe('POST /alerts/{id}/test', () => {
  test('sends at once, signed so that anybody can check it with the secret', async () => {
    const made = await makeAlert(scenario, body({ project: 'default' }));
    const answer = await scenario.operate('POST', `/alerts/${String(made['id'])}/test`);
    expect(answer.json).toEqual({ delivered: true, status: 200, error: null });
    const { headers, body: text, json } = receiver.arrived[0]!;
    const [, seconds, hex] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(headers.get('panicly-signature')!)!;
    const utf8 = new TextEncoder();
    const key = await crypto.subtle.importKey('raw', utf8.encode(String(made['secret'])), { name: 'HMAC', hash: 'SHA-256' }, false, [
      'verify',
    ]);
    const check = (signed: string) => crypto.subtle.verify('HMAC', key, Buffer.from(hex!, 'hex'), utf8.encode(signed));
    expect([await check(`${seconds}.${text}`), await check(`${seconds}.${text} `), await check(`1.${text}`)]).toEqual([true, false, false]);
    expect(Math.abs(Number(seconds) * 1_000 - scenario.clock.nowMs())).toBeLessThan(60_000);
    expect(json).toMatchObject({
      type: 'test',
      alert: { id: made['id'], name: 'ops' },
      workspace: { name: 'default' },
      project: { name: 'default' },
    });
    expect([headers.get('content-type'), headers.get('panicly-event-id')]).toEqual(['application/json', String(json['id'])]);
  });

  test.each([
    ['slack', 'text'],
    ['discord', 'content'],
  ])('%s gets one sentence and no signature', async (format, field) => {
    const made = await makeAlert(scenario, body({ format }));
    expect(made['secret']).toBeNull();
    expect((await scenario.operate('POST', `/alerts/${String(made['id'])}/test`)).json['delivered']).toBe(true);
    const { headers, json } = receiver.arrived[0]!;
    expect(json[field]).toBe('Panicly: This is a test of the alert ops. Nothing happened.');
    expect(headers.get('panicly-signature')).toBeNull();
  });

  test.each([
    ['an error', () => new Response(`text ${CANARY}`, { status: 500 }), { delivered: false, status: 500, error: 'http_500' }],
    ['a redirect', () => Response.redirect(receiver.url('/elsewhere'), 307), { delivered: false, status: null, error: 'redirect' }],
  ])('tells of %s, and nothing of what the receiver said', async (_, script, outcome) => {
    receiver.behave(script);
    const made = await makeAlert(scenario, body());
    const answer = await scenario.operate('POST', `/alerts/${String(made['id'])}/test`);
    expect([answer.status, answer.json]).toEqual([200, outcome]);
    expect(receiver.arrived).toHaveLength(1);
  });
});

describe('secrets', () => {
  test('neither the URL nor the signing secret is in a list, the audit, the log, a delivery or the database', async () => {
    const made = await makeAlert(scenario, body({ format: 'generic', events: ['sentry'] }));
    receiver.behave(() => new Response(CANARY, { status: 500 }));
    await scenario.operate('POST', `/alerts/${String(made['id'])}/test`);
    await scenario.operate('PUT', '/projects/default/sentry', { enabled: true });
    await look(scenario);
    const paths = ['/alerts', `/alerts/${String(made['id'])}`, '/alerts/deliveries', '/audit', '/status', '/decisions'];
    const answers = await Promise.all(paths.map(async (path) => (await scenario.operate('GET', path)).text));
    await scenario.ledger.ledger.drain();
    const files = ['', '-wal'].map((end) => Bun.spawnSync(['cat', `${ledgerPath(scenario.dataDir)}${end}`]).stdout.toString('latin1'));
    const everything = [...answers, ...scenario.watching.lines, ...files, Bun.inspect(scenario.office.alerts.book.list())].join('\n');
    expect(everything).toContain('alert.create');
    expect(everything).toContain('http_500');
    for (const secret of [CANARY, String(made['secret']), String(made['secret']).slice(6, 40)]) expect(everything).not.toContain(secret);
  });

  test('are sealed again when the master key is replaced', async () => {
    await makeAlert(scenario, body());
    await makeAlert(scenario, body({ format: 'slack' }));
    const before = (await scenario.office.store.loadDirectory()).alerts;
    expect(await resealAlerts(scenario.office)).toBe(0);
    scenario.office.masterKey.renew(new MasterKey(crypto.getRandomValues(new Uint8Array(32))));
    expect(await resealAlerts(scenario.office)).toBe(2);
    const after = (await scenario.office.store.loadDirectory()).alerts;
    expect(after.map(({ sealedUrl }) => sealedUrl)).not.toEqual(before.map(({ sealedUrl }) => sealedUrl));
    expect(after.map(({ sealedSecret }) => sealedSecret === null)).toEqual([false, true]);
    const { publicId } = after[0]!;
    expect((await scenario.operate('POST', `/alerts/${publicId}/test`)).json['delivered']).toBe(true);
    expect(await resealAlerts(scenario.office)).toBe(0);
  });
});

describe('GET /alerts/deliveries', () => {
  test('newest first, page by page, by state and alert', async () => {
    const made = await makeAlert(scenario, body({ events: ['sentry'] }));
    for (const enabled of [true, false, true]) await scenario.operate('PUT', '/projects/default/sentry', { enabled });
    await look(scenario);
    const list = `/alerts/deliveries?alert=${String(made['id'])}`;
    const first = await scenario.operate('GET', `${list}&limit=2`);
    const second = await scenario.operate('GET', `${list}&limit=2&cursor=${String(first.json['next_cursor'])}`);
    const rows = [...(first.json['data'] as object[]), ...(second.json['data'] as object[])];
    expect([first, second].map(({ json }) => (json['data'] as object[]).length)).toEqual([2, 1]);
    expect(rows).toMatchObject(
      ['sentry.on', 'sentry.off', 'sentry.on'].map((type) => ({ type, state: 'delivered', attempts: 1, event: { type } })),
    );
    expect((await scenario.operate('GET', `${list}&state=pending`)).json['data']).toEqual([]);
    expect((await scenario.operate('GET', `${list}&cursor=x`)).status).toBe(400);
    expect(await alertsStanding(scenario.office)).toMatchObject({ alerts: 1, pending: 0 });
  });

  test('a deleted project takes its alerts along', async () => {
    await scenario.operate('POST', '/projects', { name: 'gone' });
    const made = await makeAlert(scenario, body({ project: 'gone' }));
    await scenario.operate('DELETE', '/projects/gone');
    expect((await scenario.operate('GET', `/alerts/${String(made['id'])}`)).status).toBe(404);
    expect((await scenario.office.store.loadDirectory()).alerts.map(({ publicId }) => publicId)).not.toContain(String(made['id']));
  });
});

describe('when a message leaves, the address is judged again', () => {
  test('plain http that is not allowed any more, and a secret that cannot be opened, stay here', async () => {
    await makeAlert(scenario, body());
    const { office } = scenario;
    const living = office.alerts.book.list().at(-1)!;
    const sender = { send: () => Promise.reject(new Error('it was sent')), close: () => undefined };
    const postman = (over: object) => new Postman({ ...office, ...over }, office.alerts.book, sender, () => 0);
    expect(await postman({ allowHttpUpstream: false }).sendNow(living, '{}')).toMatchObject({ error: 'address_refused' });
    const masterKey = new MasterKey(new Uint8Array(32));
    expect(await postman({ masterKey }).sendNow(living, '{}')).toMatchObject({ error: 'secret_unreadable' });
  });
});
