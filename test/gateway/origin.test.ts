import { describe, expect, test } from 'bun:test';
import ipaddr from 'ipaddr.js';
import { openCountryDatabase } from '../../src/gateway/country.ts';
import { canonicalAddress, originOf, type OriginRules } from '../../src/gateway/origin.ts';

const network = (text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] => ipaddr.parseCIDR(text);
const COUNTRIES: Record<string, string> = { '198.51.100.7': 'DE', '203.0.113.9': 'FR' };

const rules = (change: Partial<OriginRules> = {}): OriginRules => ({
  trustedProxies: [network('10.0.0.0/8'), network('2001:db8:ffff::/48')],
  countryHeader: 'cf-ipcountry',
  lookup: (ip) => COUNTRIES[ip] ?? null,
  ...change,
});

const origin = (headers: Record<string, string>, peer: string | null, change: Partial<OriginRules> = {}) =>
  originOf(new Headers(headers), peer, rules(change));

/** Headers that proxies write, and what a client could put in them. */
const CLAIMS: Record<string, readonly string[]> = {
  'x-forwarded-for': ['', '1.2.3.4', '10.0.0.1', '1.2.3.4, 10.0.0.1', '::1', 'unknown', '198.51.100.7, 198.51.100.7'],
  forwarded: ['', 'for=1.2.3.4', 'for="[2001:db8::1]:80";proto=https'],
  'cf-ipcountry': ['', 'KP', 'US', 'T1'],
  'x-real-ip': ['', '1.2.3.4'],
  'true-client-ip': ['', '1.2.3.4'],
};

function combinations(): Record<string, string>[] {
  return Object.entries(CLAIMS).reduce<Record<string, string>[]>(
    (all, [name, values]) => all.flatMap((headers) => values.map((value) => (value === '' ? headers : { ...headers, [name]: value }))),
    [{}],
  );
}

describe('an untrusted peer', () => {
  test('changes nothing with any of its headers', () => {
    const claims = combinations();
    expect(claims.length).toBeGreaterThanOrEqual(300);
    const changed = claims.filter((headers) => {
      const { ip, country } = origin(headers, '198.51.100.7');
      return ip !== '198.51.100.7' || country !== 'DE';
    });
    expect(changed).toEqual([]);
  });

  test('nor does anybody where no proxy is trusted', () => {
    const changed = combinations().filter((headers) => origin(headers, '10.0.0.1', { trustedProxies: [] }).ip !== '10.0.0.1');
    expect(changed).toEqual([]);
  });

  test.each([
    [null, null],
    ['', null],
    ['garbage', null],
    ['::ffff:198.51.100.7', '198.51.100.7'],
    ['2001:DB8:0::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
  ])('a peer %p is %p', (peer, ip) => {
    expect(origin({ 'x-forwarded-for': '1.2.3.4' }, peer).ip).toBe(ip);
  });
});

describe('behind trusted proxies', () => {
  test.each<[string, string | null, string, string]>([
    ['no header', null, '10.0.0.1', '10.0.0.1'],
    ['one hop', '198.51.100.7', '10.0.0.1', '198.51.100.7'],
    ['the right-most that is not trusted', '1.1.1.1, 198.51.100.7', '10.0.0.1', '198.51.100.7'],
    ['a chain of proxies', '1.1.1.1, 198.51.100.7, 10.0.0.3, 10.0.0.2', '10.0.0.1', '198.51.100.7'],
    ['only proxies', '10.0.0.3, 10.0.0.2', '10.0.0.1', '10.0.0.3'],
    ['a client that says it is a proxy', '10.9.9.9, 198.51.100.7', '10.0.0.1', '198.51.100.7'],
    ['a mapped proxy', '198.51.100.7', '::ffff:10.0.0.1', '198.51.100.7'],
    ['a mapped hop', '::ffff:198.51.100.7', '10.0.0.1', '198.51.100.7'],
    ['a mapped trusted hop', '198.51.100.7, ::ffff:10.0.0.2', '10.0.0.1', '198.51.100.7'],
    ['a port', '198.51.100.7:4711', '10.0.0.1', '198.51.100.7'],
    ['IPv6', '2001:db8::5', '10.0.0.1', '2001:db8::5'],
    ['IPv6 with port', '[2001:db8::5]:443', '10.0.0.1', '2001:db8::5'],
    ['IPv6 in brackets', '[2001:db8::5]', '10.0.0.1', '2001:db8::5'],
    ['an IPv6 proxy', '198.51.100.7, 2001:db8:ffff::2', '2001:db8:ffff::1', '198.51.100.7'],
    ['garbage before a good hop', 'garbage, 198.51.100.7', '10.0.0.1', '198.51.100.7'],
    ['garbage behind it', '198.51.100.7, unknown', '10.0.0.1', '10.0.0.1'],
    ['garbage behind a proxy', '198.51.100.7, unknown, 10.0.0.2', '10.0.0.1', '10.0.0.2'],
    ['empty hops', '198.51.100.7, , 10.0.0.2', '10.0.0.1', '10.0.0.2'],
    ['nothing but commas', ',,,', '10.0.0.1', '10.0.0.1'],
    ['octal figures', '08.8.8.8', '10.0.0.1', '10.0.0.1'],
    ['octal figures of a proxy', '198.51.100.7, 010.0.0.2', '10.0.0.1', '10.0.0.1'],
    ['a number', '3325256711', '10.0.0.1', '10.0.0.1'],
    ['hexadecimal', '0xc6336407', '10.0.0.1', '10.0.0.1'],
    ['three parts', '198.51.100', '10.0.0.1', '10.0.0.1'],
    ['over 255', '198.51.100.256', '10.0.0.1', '10.0.0.1'],
    ['5,000 hops', `${'1.1.1.1, '.repeat(5_000)}198.51.100.7`, '10.0.0.1', '198.51.100.7'],
  ])('%s', (_, forwarded, peer, ip) => {
    expect(origin(forwarded === null ? {} : { 'x-forwarded-for': forwarded }, peer).ip).toBe(ip);
  });

  test('other headers name nobody', () => {
    const headers = { forwarded: 'for=1.1.1.1', 'x-real-ip': '1.1.1.1', 'true-client-ip': '1.1.1.1', 'cf-connecting-ip': '1.1.1.1' };
    expect(origin(headers, '10.0.0.1').ip).toBe('10.0.0.1');
  });

  test.each([
    ['DE', 'DE'],
    [' de ', 'DE'],
    ['XX', 'FR'],
    ['T1', 'FR'],
    ['', 'FR'],
    ['DEU', 'FR'],
    ['D', 'FR'],
    ['D€', 'FR'],
  ])('the country header %j gives %s', (value, country) => {
    const headers = new Headers({ 'x-forwarded-for': '203.0.113.9' });
    if (!value.includes('€')) headers.set('cf-ipcountry', value);
    expect(originOf(headers, '10.0.0.1', rules()).country).toBe(country);
  });

  test('the country header does not count where none is configured', () => {
    expect(origin({ 'x-forwarded-for': '203.0.113.9', 'cf-ipcountry': 'KP' }, '10.0.0.1', { countryHeader: null }).country).toBe('FR');
  });
});

test('whatever is canonical stays as it is', () => {
  const addresses = ['0.0.0.0', '255.255.255.255', '1.20.255.199', '2001:db8::1', '::', 'fe80::'];
  expect(addresses.map(canonicalAddress)).toEqual(addresses);
});

describe('countries', () => {
  const lookup = openCountryDatabase(null);

  test.each([
    '127.0.0.1',
    '10.1.2.3',
    '192.168.1.1',
    '172.16.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '255.255.255.255',
    '224.0.0.1',
    '::1',
    'fe80::1',
    'fd00::1',
    'garbage',
    '',
  ])('%s has none', (ip) => {
    expect(lookup(ip)).toBeNull();
  });

  test.each([
    ['8.8.8.8', 'US'],
    ['193.0.6.139', 'NL'],
    ['133.11.0.1', 'JP'],
    ['175.45.176.1', 'KP'],
    ['2001:4860:4860::8888', 'US'],
  ])('%s is in %s', (ip, country) => {
    expect(lookup(ip)).toBe(country);
    expect(lookup(ip)).toBe(country);
  });

  test('an address of a kind that never came before costs little', () => {
    const costs: number[] = [];
    for (let index = 0; index < 2_000; index++) {
      const ip = `${20 + (index % 180)}.${index % 251}.${(index * 7) % 253}.${index % 250}`;
      const begun = Bun.nanoseconds();
      lookup(ip);
      costs.push(Bun.nanoseconds() - begun);
    }
    const median = costs.toSorted((a, b) => a - b)[1_000]! / 1_000;
    console.log(`median country lookup: ${median.toFixed(1)} us`);
    expect(median).toBeLessThan(1_000);
  });
});
