import ipaddr from 'ipaddr.js';
import type { CountryLookup } from './country.ts';

/** Where a request comes from, as far as it can be known. */
export interface Origin {
  /** Canonical address of the sender: the right-most hop that is not a trusted proxy; null on a socket without addresses. */
  readonly ip: string | null;
  /** ISO 3166 code in capitals, or null when unknown. */
  readonly country: string | null;
}

/** How origins are found. Headers count only when the peer is a trusted proxy. */
export interface OriginRules {
  readonly trustedProxies: readonly [ipaddr.IPv4 | ipaddr.IPv6, number][];
  /** A header that a trusted proxy sets to the country, `cf-ipcountry`; null for none. */
  readonly countryHeader: string | null;
  readonly lookup: CountryLookup;
}

/** The origin of a request that arrived from `peer` (the socket's address). */
export function originOf(headers: Headers, peer: string | null, rules: OriginRules): Origin {
  const peerAddress = canonicalAddress(peer);
  if (peerAddress === null) return { ip: null, country: null };
  if (rules.trustedProxies.length === 0 || !isTrusted(peerAddress, rules)) return { ip: peerAddress, country: rules.lookup(peerAddress) };
  const ip = firstUntrustedHop(headers.get('x-forwarded-for'), peerAddress, rules);
  const named = rules.countryHeader === null ? null : countryCode(headers.get(rules.countryHeader));
  return { ip, country: named ?? rules.lookup(ip) };
}

/**
 * An address in canonical form: IPv4-mapped IPv6 becomes IPv4, zones and brackets are dropped. Null when it is not an address.
 * Plain dotted IPv4, what nearly every socket shows, is passed through without parsing.
 */
export function canonicalAddress(text: string | null): string | null {
  if (text === null) return null;
  if (/^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(text)) return text;
  const bare = text.replace(/^\[(.*)\](?::\d+)?$/, '$1').replace(/%.*$/, '');
  if (!ipaddr.IPv6.isValid(bare)) return null;
  const address = ipaddr.IPv6.parse(bare);
  return address.isIPv4MappedAddress() ? address.toIPv4Address().toString() : address.toString();
}

function firstUntrustedHop(forwarded: string | null, peer: string, rules: OriginRules): string {
  const hops = forwarded === null ? [] : forwarded.split(',');
  let known = peer;
  for (let index = hops.length - 1; index >= 0; index--) {
    const hop = canonicalAddress(withoutPort(hops[index]!.trim()));
    // A hop that is no address ends what can be believed: the proxy in front of it is the sender.
    if (hop === null) return known;
    known = hop;
    if (!isTrusted(hop, rules)) return hop;
  }
  return known;
}

function withoutPort(hop: string): string {
  const match = /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(hop);
  return match ? match[1]! : hop;
}

function isTrusted(address: string, rules: OriginRules): boolean {
  const parsed = ipaddr.parse(address);
  return rules.trustedProxies.some(([network, bits]) => parsed.kind() === network.kind() && parsed.match([network, bits] as never));
}

function countryCode(value: string | null): string | null {
  const code = value?.trim().toUpperCase() ?? '';
  // XX and T1 are what a proxy says when it does not know the country, or for Tor.
  return /^[A-Z]{2}$/.test(code) && code !== 'XX' ? code : null;
}
