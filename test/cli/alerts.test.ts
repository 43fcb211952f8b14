import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { AlertDeliveryJson, AlertJson, NewAlertJson } from '../../src/http/schemas/operator.ts';
import { look } from '../support/alerts.ts';
import { startCommandLine, type CommandLine } from '../support/command-line.ts';
import { Receiver } from '../support/receiver.ts';

let line: CommandLine;
let receiver: Receiver;

beforeAll(async () => {
  receiver = new Receiver();
  line = await startCommandLine();
});
afterAll(async () => {
  await line.close();
  await receiver.close();
});

const run = (argv: readonly string[], stdin = '') => line.run(argv, { stdin });

test('an alert is made, tried, looked at and removed', async () => {
  const events = ['--events', 'sentry, budget', '--thresholds', '80,100'];
  const created = await run(
    ['alerts', 'create', 'ops', '--url', '-', '--project', 'default', ...events, '--json'],
    `${receiver.url('/secret')}\n`,
  );
  const made = JSON.parse(created.out) as NewAlertJson;
  expect([created.code, made.events, made.thresholds]).toEqual([0, ['budget', 'sentry'], [80, 100]]);
  const tried = await run(['alerts', 'test', made.id]);
  expect([tried.code, tried.out]).toEqual([0, 'delivered (status 200)\n']);
  receiver.behave(() => new Response(null, { status: 500 }));
  const refused = await run(['alerts', 'test', made.id]);
  expect([refused.code, refused.err]).toEqual([1, 'panicly: the receiver did not take the test event (http_500)\n']);
  receiver.reset();
  await run(['sentry', 'on', '--project', 'default']);
  await look(line.scenario);
  const list = await run(['alerts', 'list']);
  expect(list.out).toMatch(
    /alr_\w{16} {2}ops {2,}generic {2}http:\/\/127\.0\.0\.1:\d+\/… {2,}prj_\w{16} {2}budget, sentry {2}80 %, 100 %\n$/,
  );
  expect((JSON.parse((await run(['alerts', 'list', '--json'])).out) as AlertJson[])[0]).not.toHaveProperty('secret');
  const told = await run(['alerts', 'deliveries', '--state', 'delivered', '--alert', made.id]);
  expect(told.out).toMatch(/^ID .*LAST ERROR\nevt_\w{16} {2}.* {2}sentry\.on {2}prj_\w{16} {2}delivered {2} +1 {2}-\n$/);
  const [one] = JSON.parse((await run(['alerts', 'deliveries', '--json'])).out) as AlertDeliveryJson[];
  expect(one!.event).toMatchObject({ type: 'sentry.on', id: one!.id });
  expect((await run(['alerts', 'remove', made.id])).code).toBe(2);
  expect(await run(['alerts', 'remove', made.id, '--yes'])).toMatchObject({ code: 0, out: `removed ${made.id}\n` });
  expect((await run(['alerts', 'list', '--json'])).out).toBe('[]\n');
});

test('the secret is shown once, and the help has examples', async () => {
  const created = await run(['alerts', 'create', 'team', '--url', receiver.url('/secret')]);
  expect(created.out).toMatch(/\nsecret {2,}whsec_[0-9a-f]{64}\n\nKeep the secret/);
  expect(created.out).not.toContain('/secret');
  expect((await run(['alerts', 'create', '--help'])).out).toContain('panicly alerts create team --format slack --url - < slack-url.txt');
});

test.each([
  ['an address that may not be used', ['alerts', 'create', 'x', '--url', 'https://169.254.169.254/'], 1],
  ['no address', ['alerts', 'create', 'x'], 2],
  ['another format', ['alerts', 'create', 'x', '--url', 'https://alerts.example.com', '--format', 'pager'], 2],
  ['an alert that there is not', ['alerts', 'test', 'alr_nobody'], 1],
])('%s is refused in one line', async (_, argv, code) => {
  const ran = await run(argv);
  expect([ran.code, ran.out, ran.err.split('\n').length]).toEqual([code, '', 2]);
});
