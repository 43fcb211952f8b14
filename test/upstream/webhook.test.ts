import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { httpUpstream } from '../../src/upstream/http.ts';
import { webhookSender, type WebhookSender } from '../../src/upstream/webhook.ts';
import { startMockProvider, text, redirect, type MockProvider } from '../support/mock-provider.ts';

const QUICK_MS = 400;
let receiver: MockProvider;
let sender: WebhookSender;

beforeAll(async () => {
  receiver = await startMockProvider();
  sender = webhookSender(httpUpstream({ tickMs: 20 }), QUICK_MS);
});
afterAll(async () => {
  sender.close();
  await receiver.close();
});
beforeEach(() => void (receiver.seen.length = 0));

const send = (url = `${receiver.baseUrl}/hook`) =>
  sender.send({ url, headers: { 'content-type': 'application/json', 'panicly-event-id': 'evt_1' }, body: '{"a":"ü"}' });
const failed = (error: string, status: number | null = null) => ({ delivered: false, status, error, retryAfterSeconds: null });

describe('a webhook', () => {
  test('that is taken arrives as it was written', async () => {
    receiver.behave(text('thanks', 'text/plain', { status: 204 }));
    expect(await send()).toEqual({ delivered: true, status: 204, error: null, retryAfterSeconds: null });
    expect(receiver.seen[0]!.json()).toEqual({ a: 'ü' });
    expect(receiver.seen).toHaveLength(1);
  });

  test.each([
    ['an error', text('no', 'text/plain', { status: 500 }), failed('http_500', 500)],
    ['a status of its own', text('no', 'text/plain', { status: 410 }), failed('http_410', 410)],
    ['a redirect, which is not followed', redirect('http://127.0.0.1:9/elsewhere'), failed('redirect')],
    ['silence', { kind: 'silence' } as const, failed('timeout')],
    ['a reset', { kind: 'reset' } as const, failed('reset')],
    ['garbage', { kind: 'garbage', text: 'this is not HTTP\r\n\r\n' } as const, failed('malformed')],
  ])('that meets %s', async (_, behaviour, outcome) => {
    receiver.behave(behaviour);
    expect(await send()).toEqual(outcome);
    expect(receiver.seen).toHaveLength(1);
  });

  test('that finds nobody', async () => {
    expect(await send('http://127.0.0.1:1/hook')).toEqual(failed('unreachable'));
  });

  test('waits as long as a receiver asks, but not for ever', async () => {
    const asking = (seconds: string) => text('', 'text/plain', { status: 429, headers: { 'retry-after': seconds } });
    const asked: (number | null)[] = [];
    for (const seconds of ['7', '0.4', '999999', 'Wed, 21 Oct 2026 07:28:00 GMT', '-1']) {
      receiver.behave(asking(seconds));
      asked.push((await send()).retryAfterSeconds);
    }
    expect(asked).toEqual([7, 1, 3_600, null, null]);
  });

  test('an answer that never ends, or is very long, is not waited for: its status counts', async () => {
    receiver.behave({ ...text('x'.repeat(10), 'text/plain'), framing: 'chunked', silentAfter: 1 });
    expect(await send()).toMatchObject({ delivered: true, status: 200 });
    receiver.behave(text('x'.repeat(4_000_000), 'text/plain'));
    expect(await send()).toMatchObject({ delivered: true, status: 200 });
  });

  test('an answer that drips for longer than a delivery may take is left', async () => {
    const drop = new Uint8Array([120]);
    receiver.behave({ ...text('', 'text/plain'), framing: 'chunked', chunks: Array.from({ length: 600 }, () => drop), intervalMs: 50 });
    expect(await send()).toMatchObject({ delivered: true, status: 200 });
  });

  test('can be broken off', async () => {
    receiver.behave({ kind: 'silence' });
    let stop = () => {};
    const sent = sender.send({ url: `${receiver.baseUrl}/hook`, headers: {}, body: '{}' }, (it) => (stop = it));
    await receiver.arrived(1);
    stop();
    expect(await sent).toEqual(failed('stopped'));
  });
});
