import { describe, expect, test } from 'bun:test';
import { Refusal } from '../../src/domain/errors.ts';
import { BodyBudget, Reservation } from '../../src/gateway/body-budget.ts';
import { receive, release, type Received } from '../../src/gateway/receive.ts';

const LIMITS = { bodyBytes: 200_000, receiveMs: 5_000 };
const JSON_TYPE = { 'content-type': 'application/json' };

/** A body of `bytes` bytes. */
const bodyOf = (bytes: number): string => `{"a":"${'x'.repeat(bytes - 8)}"}`;

const request = (
  body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null,
  headers: Record<string, string> = JSON_TYPE,
): Request => new Request('http://x/', { method: 'POST', body, headers });

/** A body that comes in these pieces, without an announced size. */
function chunked(pieces: readonly string[], ends = true): Request {
  let index = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (index < pieces.length) return controller.enqueue(new TextEncoder().encode(pieces[index++]));
      if (ends) return controller.close();
      return new Promise<void>(() => {});
    },
  });
  return request(stream);
}

async function outcome(from: Request, limits = LIMITS, budget = new BodyBudget(1e6)): Promise<string> {
  const received = await receive(from, limits, budget);
  const taken = budget.takenBytes;
  if (received instanceof Refusal) return taken === 0 ? received.reason : `${received.reason} and ${taken} kept`;
  budget.give(received.reservedBytes);
  return budget.takenBytes === 0 ? `${received.body.bytes.length} bytes` : `${budget.takenBytes} kept`;
}

describe('what is taken', () => {
  test.each<[string, Request, string]>([
    ['an object', request('{}'), '2 bytes'],
    ['no type', request(new TextEncoder().encode('{}'), {}), '2 bytes'],
    ['text/plain', request('{}', { 'content-type': 'text/plain' }), '2 bytes'],
    ['charset utf-8', request('{}', { 'content-type': 'application/json; charset=utf-8' }), '2 bytes'],
    ['charset UTF8 in quotes', request('{}', { 'content-type': 'application/json; charset="UTF8"' }), '2 bytes'],
    ['charset utf-8 behind a blank', request('{}', { 'content-type': 'application/json; charset= utf-8' }), '2 bytes'],
    ['charset latin1', request('{}', { 'content-type': 'application/json; charset=iso-8859-1' }), 'unsupported_media_type'],
    ['charset utf-16', request('{}', { 'content-type': 'application/json;charset = utf-16' }), 'unsupported_media_type'],
    ['multipart', request('{}', { 'content-type': 'multipart/form-data; boundary=x' }), 'unsupported_media_type'],
    ['multipart in capitals', request('{}', { 'content-type': ' MULTIPART/mixed' }), 'unsupported_media_type'],
    ['identity', request('{}', { 'content-encoding': 'identity' }), '2 bytes'],
    ['Identity', request('{}', { 'content-encoding': 'Identity' }), '2 bytes'],
    ['gzip', request('{}', { 'content-encoding': 'gzip' }), 'unsupported_encoding'],
    ['identity and gzip', request('{}', { 'content-encoding': 'identity, gzip' }), 'unsupported_encoding'],
    ['a made-up encoding', request('{}', { 'content-encoding': 'x'.repeat(5_000) }), 'unsupported_encoding'],
    ['nothing', request(null), 'invalid_json'],
    ['an empty body', request(''), 'invalid_json'],
    ['a list', request('[]'), 'invalid_json'],
    ['half an object', request('{"a":'), 'invalid_json'],
    ['two objects', request('{}{}'), 'invalid_json'],
    ['a byte-order mark', request('\ufeff{}'), 'invalid_json'],
    ['one name twice', request('{"a":1,"a":2}'), 'duplicate_key'],
    ['the same name, written otherwise', request('{"a":1,"\\u0061":2}'), 'duplicate_key'],
    ['invalid UTF-8', request(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), 'invalid_utf8'],
    ['65 levels', request(`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`), 'too_deep'],
    ['the limit', request(bodyOf(200_000)), '200000 bytes'],
    ['one byte more', request(bodyOf(200_001)), 'request_too_large'],
    ['an announcement that is too great', request('{}', { ...JSON_TYPE, 'content-length': '200001' }), 'request_too_large'],
    ['an announcement that is no number', request('{}', { ...JSON_TYPE, 'content-length': '1e3' }), 'request_too_large'],
    ['an announcement below zero', request('{}', { ...JSON_TYPE, 'content-length': '-5' }), 'request_too_large'],
    ['two announcements', request('{}', { ...JSON_TYPE, 'content-length': '2, 2' }), 'request_too_large'],
    ['in pieces', chunked(['{"a', '":', '1}']), '7 bytes'],
    ['in pieces, the limit', chunked([bodyOf(100_000).slice(0, -2), `${'y'.repeat(100_000)}"}`]), '200000 bytes'],
    [
      'in pieces, too large',
      chunked(
        Array.from({ length: 50 }, () => 'x'.repeat(10_000)),
        false,
      ),
      'request_too_large',
    ],
  ])('%s', async (_, from, expected) => {
    expect(await outcome(from)).toBe(expected);
  });

  test('a length that the body does not keep is caught by what arrives', async () => {
    expect(await outcome(request(bodyOf(150_000), { ...JSON_TYPE, 'content-length': '100000' }), { ...LIMITS, bodyBytes: 120_000 })).toBe(
      'request_too_large',
    );
  });

  test('a body that does not come', async () => {
    expect(await outcome(chunked(['{"a":'], false), { ...LIMITS, receiveMs: 20 })).toBe('receive_timeout');
  });

  test('a body that breaks off', async () => {
    const stream = new ReadableStream({ pull: (controller) => controller.error(new Error('gone')) });
    expect(await outcome(request(stream))).toBe('invalid_json');
  });
});

describe('the budget of bodies', () => {
  test('a small body that is announced reserves its size before it comes', async () => {
    const budget = new BodyBudget(10_000);
    const received = await receive(request(bodyOf(6_000)), LIMITS, budget);
    expect(received).toHaveProperty('reservedBytes', 6_000);
    expect(await outcome(request(bodyOf(6_000)), LIMITS, budget)).toBe('overloaded and 6000 kept');
    expect(budget.takenBytes).toBe(6_000);
    expect(await outcome(request(bodyOf(4_000)), LIMITS, budget)).toBe('6000 kept');
  });

  test('larger ones that are announced reserve their size while half of the room is left, and then only what arrives', async () => {
    const limits = { bodyBytes: 2_000_000, receiveMs: 1_000 };
    const budget = new BodyBudget(1_500_000);
    const drip = () => {
      const drips = chunked(['{'], false);
      drips.headers.set('content-length', '700000');
      return receive(drips, { ...limits, receiveMs: 20 }, budget);
    };
    const slow = [drip(), drip(), drip()];
    await Bun.sleep(1);
    expect(budget.takenBytes).toBe(700_002);
    await Promise.all(slow);
    expect(budget.takenBytes).toBe(0);
    expect(await outcome(request(bodyOf(700_000), { ...JSON_TYPE, 'content-length': '700000' }), limits, budget)).toBe('700000 bytes');
  });

  test('one that is only announced, or of no announced size, takes no room from others', async () => {
    const budget = new BodyBudget(100_000);
    const idle = Array.from({ length: 50 }, () => receive(chunked(['{'], false), { ...LIMITS, receiveMs: 1_000 }, budget));
    while (budget.takenBytes < 50) await Bun.sleep(1);
    expect(budget.takenBytes).toBe(50);
    expect((await Promise.all(idle)).map((answer) => answer instanceof Refusal && answer.reason)).toEqual(
      Array(50).fill('receive_timeout'),
    );
    expect(budget.takenBytes).toBe(0);
  });

  test('a body that comes after its deadline takes nothing any more', async () => {
    const budget = new BodyBudget(100_000);
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const stream = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await gate;
        controller.enqueue(new Uint8Array(5_000));
      },
    });
    expect(await receive(request(stream), { ...LIMITS, receiveMs: 10 }, budget)).toHaveProperty('reason', 'receive_timeout');
    open();
    await Bun.sleep(5);
    expect(budget.takenBytes).toBe(0);
  });

  test('a full budget refuses in the middle of a large body and gives back what that had', async () => {
    const budget = new BodyBudget(100_000);
    expect(await outcome(chunked(Array.from({ length: 15 }, () => 'x'.repeat(10_000))), LIMITS, budget)).toBe('overloaded');
    expect(budget.takenBytes).toBe(0);
  });

  test.each<[string, number, number]>([
    ['a large body is gone at once', 400_000, 0],
    ['a small one is left to the collection', 4_000, 4_000],
  ])('what is given back: %s', async (_, bytes, left) => {
    const budget = new BodyBudget(1e6);
    const received = (await receive(request(bodyOf(bytes)), { ...LIMITS, bodyBytes: 1e6 }, budget)) as Received;
    expect([received.body.bytes.length, budget.takenBytes]).toEqual([bytes, bytes]);
    release(received, budget);
    expect([received.body.bytes.length, budget.takenBytes]).toEqual([left, 0]);
  });

  test('a reservation that has ended takes nothing', () => {
    const budget = new BodyBudget(10);
    const reservation = new Reservation(budget);
    expect([reservation.add(6), reservation.add(6), reservation.add(4)]).toEqual([true, false, true]);
    reservation.end();
    expect([reservation.add(1), budget.takenBytes]).toEqual([false, 0]);
  });
});
