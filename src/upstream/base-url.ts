import ipaddr from 'ipaddr.js';
import { Refusal } from '../domain/errors.ts';
import { ROUTE_PATHS } from './providers.ts';

/** Names under which clouds hand out the credentials of their machines. */
const METADATA_NAMES = [
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
  'metadata.azure.internal',
];

/** The same by address, where no reserved range covers it: AWS over IPv6, Google over IPv6, Alibaba, Azure, Oracle. */
const METADATA_ADDRESSES = new Set(['fd00:ec2::254', 'fd20:ce::254', '100.100.100.200', '168.63.129.16', '192.0.0.192']);

/** Ranges that no provider lives in. Private ones are missing on purpose: models on the local network are legitimate. */
const FORBIDDEN_RANGES = new Set(['unspecified', 'broadcast', 'multicast', 'linkLocal']);

/**
 * An operator's base URL in the form that is stored (no slash at its end), or why it is refused.
 * https, or plain http to this machine when `allowHttp` is set. Numbers in any spelling (hexadecimal, octal, one integer,
 * IPv4 inside IPv6) are judged as the address that they mean. A name is judged as a name: what it resolves to may
 * change, and a metadata service cannot show a certificate for it.
 */
export function checkBaseUrl(text: string, options: { readonly allowHttp: boolean }): string | Refusal {
  if (text.length > 2_048 || /[^!-~]|\\/.test(text)) return refuse('It may hold visible ASCII characters only, and no backslash.');
  if (/[?#]/.test(text)) return refuse('It must have no query and no fragment.');
  if (!/^https?:\/\/[^/]/i.test(text) || !URL.canParse(text))
    return refuse('It must be an absolute https URL, like https://api.example.com/v1.');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '' || text.includes('@'))
    return refuse('It must hold no user name, no password and no @. Give the key as api_key.');
  const problem = addressProblem(url, options.allowHttp) ?? pathProblem(url.pathname);
  if (problem !== null) return refuse(problem);
  return `${url.protocol}//${url.host}${url.pathname}`.replace(/\/+$/, '');
}

/** Why nothing of ours may be sent to this address, one sentence, or null: the rules of `checkBaseUrl` for scheme and host. */
export function addressProblem(url: URL, allowHttp: boolean): string | null {
  const host = url.hostname.toLowerCase().replace(/\.+$/, '');
  return hostProblem(host) ?? schemeProblem(url, host, allowHttp);
}

/** Why no request of ours may go to this host (lower case, as `URL` writes it), or null. */
export function hostProblem(host: string): string | null {
  if (host === '') return 'It must name a host.';
  const address = addressOf(host);
  if (address === null) {
    const isMetadata = METADATA_NAMES.some((name) => host === name || host.endsWith(`.${name}`));
    return isMetadata ? 'It names a metadata service.' : null;
  }
  if (METADATA_ADDRESSES.has(address.toString())) return 'It is the address of a metadata service.';
  return FORBIDDEN_RANGES.has(address.range()) ? `Its address is not one that a provider can have (${address.range()}).` : null;
}

function schemeProblem(url: URL, host: string, allowHttp: boolean): string | null {
  if (url.protocol === 'https:') return null;
  if (!isLoopback(host)) return 'It must be https.';
  return allowHttp ? null : 'Plain http is off: start with PANICLY_ALLOW_HTTP_UPSTREAM=1 to allow it to this machine.';
}

function pathProblem(path: string): string | null {
  const route = Object.values(ROUTE_PATHS).find((known) => path.replace(/\/+$/, '').endsWith(known));
  return route === undefined ? null : `Leave ${route} out: the base URL ends before it, usually with /v1.`;
}

/** Whether a host means this machine. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  return addressOf(host)?.range() === 'loopback';
}

/** The address that a host of a URL means, an IPv4 address inside an IPv6 one unwrapped; null for names. */
export function addressOf(host: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  // The URL parser has already turned every spelling of an IPv4 address into four decimal numbers.
  if (ipaddr.IPv4.isValidFourPartDecimal(host)) return ipaddr.IPv4.parse(host);
  if (!host.startsWith('[')) return null;
  const address = ipaddr.IPv6.parse(host.slice(1, -1));
  return embeddedIPv4(address) ?? address;
}

/** IPv4-mapped (::ffff:a.b.c.d), IPv4-compatible (::a.b.c.d), NAT64 (64:ff9b::a.b.c.d) and 6to4 (2002:a.b:c.d::) addresses. */
function embeddedIPv4(address: ipaddr.IPv6): ipaddr.IPv4 | null {
  const parts = address.parts;
  const leading = parts.slice(0, 6).join(',');
  const wraps =
    leading === '0,0,0,0,0,65535' ||
    leading === '0,0,0,0,65535,0' ||
    leading === '100,65435,0,0,0,0' ||
    (leading === '0,0,0,0,0,0' && parts[6]! > 0);
  const [high, low] = parts[0] === 0x2002 ? [parts[1]!, parts[2]!] : [parts[6]!, parts[7]!];
  if (!wraps && parts[0] !== 0x2002) return null;
  return new ipaddr.IPv4([high >> 8, high & 255, low >> 8, low & 255]);
}

function refuse(why: string): Refusal {
  return new Refusal('invalid_value', `This base_url cannot be used. ${why}`, {
    param: 'base_url',
  });
}
