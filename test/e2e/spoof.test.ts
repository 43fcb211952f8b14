import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { startPanicly, type Panicly } from '../support/binary.ts';

/** Where a request comes from is what the socket says, whatever its headers say; a trusted proxy is believed, and no one behind it. */

/** Of the network that is blocked, of a country that is blocked, of the only country that is allowed, of nobody. */
const BLOCKED = '203.0.113.9';
const KOREAN = '175.45.176.1';
const AMERICAN = '8.8.8.8';

/** What a client could claim, header by header; the empty one is left out. */
const CLAIMS: Readonly<Record<string, readonly string[]>> = {
  'x-forwarded-for': ['', BLOCKED, `${KOREAN}, 10.0.0.1`, '::ffff:203.0.113.9', AMERICAN, '127.0.0.1, 127.0.0.1', 'unknown', ',,,'],
  forwarded: ['', `for=${BLOCKED}`, `for="[2001:db8::1]:80";proto=https;by=${AMERICAN}`],
  'cf-ipcountry': ['', 'KP', 'US'],
  'x-real-ip': ['', KOREAN],
  'true-client-ip': ['', BLOCKED],
  'x-client-ip': ['', AMERICAN],
};

function combinations(): Record<string, string>[] {
  return Object.entries(CLAIMS).reduce<Record<string, string>[]>(
    (all, [name, values]) => all.flatMap((headers) => values.map((value) => (value === '' ? headers : { ...headers, [name]: value }))),
    [{}],
  );
}

const BLOCK_CLAIMS = {
  network: { block: ['203.0.113.0/24', '175.45.176.0/22', '8.8.8.0/24', '2001:db8::/32', '10.0.0.0/8'] },
  region: { block: ['KP', 'US'] },
  burst: { mode: 'off' },
  loop_guard: { mode: 'off' },
};

let server: Panicly;

/** Asks the simulator with these headers: the status and, when it was refused, why. */
async function ask(headers: Readonly<Record<string, string>>): Promise<string> {
  const response = await fetch(`${server.url}/v1/embeddings`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.testKey}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'text-embedding-3-small', input: 'where am I?' }),
  });
  const body = (await response.json()) as { error?: { reason: string } };
  return body.error === undefined ? String(response.status) : `${response.status} ${body.error.reason}`;
}

/** How often each answer came. */
async function tally(requests: readonly Readonly<Record<string, string>>[]): Promise<Record<string, number>> {
  const answers: Record<string, number> = {};
  for (const headers of requests) {
    const answer = await ask(headers);
    answers[answer] = (answers[answer] ?? 0) + 1;
  }
  return answers;
}

/** How often each address and country was recorded. */
async function recorded(): Promise<Record<string, number>> {
  const origins: Record<string, number> = {};
  for (const { ip, country, count } of await server.decisions()) origins[`${ip} ${country}`] = (origins[`${ip} ${country}`] ?? 0) + count;
  return origins;
}

describe('a peer that nobody trusts', () => {
  const claims = combinations();

  beforeAll(async () => {
    server = await startPanicly({ config: '[server]\ntrusted_proxies = ["10.0.0.0/8", "192.0.2.1"]\ncountry_header = "cf-ipcountry"\n' });
  });
  afterAll(() => server.kill());

  test('is not refused for what it claims, nor let in for it, and is recorded as what it is', async () => {
    expect(claims.length).toBeGreaterThanOrEqual(300);
    await server.policy(BLOCK_CLAIMS);
    expect(await tally(claims)).toEqual({ '200': claims.length });
    await server.policy({ ...BLOCK_CLAIMS, network: { block: ['127.0.0.0/8'] } });
    expect(await tally(claims)).toEqual({ '403 network_blocked': claims.length });
    await server.policy({ ...BLOCK_CLAIMS, network: {}, region: { allow: ['KP', 'US'] } });
    expect(await tally(claims)).toEqual({ '403 region_blocked': claims.length });
    const rows = await recorded();
    expect(Object.keys(rows)).toEqual(['127.0.0.1 null']);
  }, 60_000);
});

describe('a trusted proxy', () => {
  beforeAll(async () => {
    server = await startPanicly({ config: '[server]\ntrusted_proxies = ["127.0.0.1", "10.0.0.0/8"]\ncountry_header = "cf-ipcountry"\n' });
    await server.policy({
      ...BLOCK_CLAIMS,
      network: { block: ['203.0.113.0/24', '2001:db8::/32', '127.0.0.1'] },
      region: { block: ['KP'] },
    });
  });
  afterAll(() => server.kill());

  const rows: readonly [string, Record<string, string>, string, string][] = [
    ['the right-most hop that is not a proxy', { 'x-forwarded-for': `${BLOCKED}, ${AMERICAN}` }, '200', `${AMERICAN} US`],
    ['what stands left of it is a claim', { 'x-forwarded-for': `${AMERICAN}, ${BLOCKED}` }, '403 network_blocked', `${BLOCKED} null`],
    [
      'other proxies are passed over',
      { 'x-forwarded-for': `${AMERICAN}, ${BLOCKED}, 10.0.0.7, 10.1.2.3` },
      '403 network_blocked',
      `${BLOCKED} null`,
    ],
    ['a mapped address', { 'x-forwarded-for': '::ffff:203.0.113.77' }, '403 network_blocked', '203.0.113.77 null'],
    ['IPv6', { 'x-forwarded-for': '2001:db8:7::1' }, '403 network_blocked', '2001:db8:7::1 null'],
    ['the country of the hop', { 'x-forwarded-for': KOREAN }, '403 region_blocked', `${KOREAN} KP`],
    ['the country that the proxy names', { 'x-forwarded-for': '1.1.1.1', 'cf-ipcountry': 'KP' }, '403 region_blocked', '1.1.1.1 KP'],
    ['and not another one', { 'x-forwarded-for': KOREAN, 'cf-ipcountry': 'DE' }, '200', `${KOREAN} DE`],
    ['no hop at all is the proxy itself', {}, '403 network_blocked', '127.0.0.1 null'],
    ['no other header names a hop', { forwarded: `for=${AMERICAN}`, 'x-real-ip': AMERICAN }, '403 network_blocked', '127.0.0.1 null'],
  ];
  test.each(rows)('%s', async (_, headers, answer, origin) => {
    expect(await ask(headers)).toBe(answer);
    const { ip, country } = (await server.decisions())[0]!;
    expect(`${ip} ${country}`).toBe(origin);
  });
});
