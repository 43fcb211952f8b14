import { afterAll, beforeAll, expect, test } from 'bun:test';
import { eventually, startPanicly, type Panicly } from '../support/binary.ts';
import { Receiver } from '../support/receiver.ts';

let panicly: Panicly;
let receiver: Receiver;

beforeAll(async () => {
  receiver = new Receiver();
  panicly = await startPanicly();
});
afterAll(async () => {
  await panicly.kill();
  await receiver.close();
});

const arrived = (count: number) => eventually(`${count} messages arrived`, async () => (receiver.arrived.length >= count ? true : null));

test('what was on its way when the process was killed is told after the next start, and what was told is not told again', async () => {
  await panicly.ask('/alerts', { method: 'POST', body: { name: 'ops', url: receiver.url(), events: ['sentry'] } });
  const project = await panicly.projectId();
  const turn = (enabled: boolean) => panicly.ask(`/projects/${project}/sentry`, { method: 'PUT', body: { enabled } });
  await turn(true);
  await arrived(1);
  const delivered = () => panicly.ask<{ data: { state: string }[] }>('/alerts/deliveries?state=delivered');
  await eventually('the first is recorded', async () => ((await delivered()).data.length === 1 ? true : null));
  receiver.behave(() => null);
  await turn(false);
  await arrived(2);
  await panicly.kill();
  const cutOff = receiver.arrived[1]!.headers.get('panicly-event-id');
  receiver.reset();
  await panicly.start();
  await arrived(1);
  expect(receiver.arrived.map(({ headers }) => headers.get('panicly-event-id'))).toEqual([cutOff]);
  await eventually('both are recorded', async () => ((await delivered()).data.length === 2 ? true : null));
  expect(await panicly.stop()).toBe(0);
  expect(receiver.arrived).toHaveLength(1);
});
