import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { AddressRules } from '../../src/policy/addresses.ts';

describe('edges', () => {
  const rows: [rule: string, ip: string, matches: boolean][] = [
    ['203.0.113.0/24', '203.0.113.0', true],
    ['203.0.113.0/24', '203.0.113.255', true],
    ['203.0.113.0/24', '203.0.112.255', false],
    ['203.0.113.0/24', '203.0.114.0', false],
    ['203.0.113.77/24', '203.0.113.1', true],
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '10.0.0.2', false],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::/0', '192.0.2.1', false],
    ['::/0', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', true],
    ['2001:db8::/32', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', true],
    ['2001:db8::/32', '2001:db9::', false],
    ['2001:db8::/33', '2001:db8:8000::', false],
    ['2001:db8::1', '2001:db8::1', true],
    ['2001:db8::1', '2001:db8::', false],
    ['::ffff:192.0.2.0/120', '192.0.2.9', true],
    ['::ffff:192.0.2.0/120', '192.0.3.9', false],
    ['192.0.2.0/24', '::ffff:c000:209', true],
    ['2001:DB8::/32', '2001:db8::1', true],
    ['10.0.0.0/8', 'not an address', false],
    ['10.0.0.0/8', '10.0.0', false],
    ['10.0.0.0/8', '10.0.0.0.0', false],
    ['10.0.0.0/8', '10.0.0.256', false],
  ];
  test.each(rows)('%s and %s: %p', (rule, ip, matches) => {
    expect(new AddressRules([rule]).match(ip)).toBe(matches ? rule : null);
  });
});

const octet = fc.nat(255);
const ipv4 = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join('.'));
const ipv6 = fc
  .array(fc.oneof(fc.constantFrom(0, 0, 1, 0xffff), fc.nat(0xffff)), { minLength: 8, maxLength: 8 })
  .map((parts) => new ipaddr.IPv6(parts))
  .filter((address) => !address.isIPv4MappedAddress())
  .map((address) => address.toString());
const network = fc.oneof(
  fc.tuple(ipv4, fc.integer({ min: 0, max: 32 })).map(([ip, bits]) => `${ip}/${bits}`),
  fc.tuple(ipv6, fc.integer({ min: 0, max: 128 })).map(([ip, bits]) => `${ip}/${bits}`),
);

test('many networks at once match as the library matches them one by one', () => {
  let matched = 0;
  fc.assert(
    fc.property(
      fc.array(network, { minLength: 1, maxLength: 30 }),
      fc.array(fc.oneof(ipv4, ipv6), { minLength: 1, maxLength: 10 }),
      (networks, ips) => {
        const rules = new AddressRules(networks);
        for (const ip of [...ips, ...networks.map((text) => ipaddr.parse(text.split('/')[0]!).toString())]) {
          const address = ipaddr.parse(ip);
          const expected = networks.some((text) => {
            const [range, bits] = ipaddr.parseCIDR(text);
            return range.kind() === address.kind() && address.match(range, bits);
          });
          expect(rules.match(ip) !== null).toBe(expected);
          if (expected) matched++;
        }
      },
    ),
    { numRuns: 200 },
  );
  expect(matched).toBeGreaterThan(500);
});
