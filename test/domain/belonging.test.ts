import { describe, expect, test } from 'bun:test';
import { belongingOf, senderGroup, spendLabel } from '../../src/domain/belonging.ts';
import { canonicalAddress } from '../../src/gateway/origin.ts';
import { candidateOf } from '../support/policies.ts';

describe('senders', () => {
  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:1::1', '2001:db8:1:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['1::', '1:0:0:0::/64'],
    ['1::5:6:7:8', '1:0:0:0::/64'],
    ['1::4:5:6:7:8', '1:0:0:4::/64'],
    ['::3:4:5:6:7:8', '0:0:3:4::/64'],
    ['::2:3:4:5:6:7:8', '0:2:3:4::/64'],
    ['1:2:3::6:7:8', '1:2:3:0::/64'],
    ['1:2:3:4::8', '1:2:3:4::/64'],
    ['1:2:3:4:5::8', '1:2:3:4::/64'],
    ['not an address', 'not an address'],
  ])('%s is of %s', (ip, group) => {
    expect(senderGroup(ip)).toBe(group);
  });

  test('every spelling of an address is of one group, another /64 of another', () => {
    const spellings = ['2001:db8:0:7:0:0:0:1', '2001:0db8:0000:0007::1', '2001:DB8:0:7::1', '2001:db8::7:0:0:0:1', '[2001:db8:0:7::1]'];
    expect(new Set(spellings.map((text) => senderGroup(canonicalAddress(text)!)))).toEqual(new Set(['2001:db8:0:7::/64']));
    expect(senderGroup(canonicalAddress('2001:db8:0:8::1')!)).toBe('2001:db8:0:8::/64');
  });
});

test('who a candidate belongs to', () => {
  const candidate = candidateOf({ environment: 'test', workspaceId: 3, projectId: 4, keyId: 5, endUser: 'ann', ip: '2001:db8::1' });
  expect(belongingOf(candidate)).toEqual({
    environmentTest: true,
    workspaceId: 3,
    projectId: 4,
    keyId: 5,
    endUser: 'ann',
    sender: '2001:db8:0:0::/64',
  });
  expect(belongingOf(candidateOf({ ip: null })).sender).toBeNull();
});

test('spend is kept under every model in reach', () => {
  expect(spendLabel(['a'])).toBe('a');
  expect(spendLabel(['a', 'b'])).toBe('a,b');
});
