import { addressOf, hostProblem, isLoopback } from './base-url.ts';

/** Endings of names that are only known inside of a network. */
const INNER_NAMES = ['.local', '.internal', '.svc', '.localhost', '.lan', '.home.arpa'];
/** Ranges that no packet leaves a private network with. */
const INNER_RANGES = new Set(['loopback', 'private', 'uniqueLocal']);

/**
 * The address that traces are sent to, or why it is refused. Who starts the process names it, no request and no operator of a
 * workspace can; so plain http is allowed inside of a private network: to this machine, to private addresses, to names without a
 * dot (`http://collector:4318`) and to names that are only known inside. Metadata services and link-local addresses are refused, as for providers.
 */
export function collectorUrl(text: string): { readonly url: string } | { readonly problem: string } {
  if (text.length > 2_048 || /[^!-~]|\\/.test(text) || !/^https?:\/\/[^/]/i.test(text) || !URL.canParse(text))
    return { problem: 'it must be an absolute http or https URL' };
  const url = new URL(text);
  if (url.username !== '' || url.password !== '' || text.includes('@'))
    return { problem: 'it must hold no user name and no password; use OTEL_EXPORTER_OTLP_HEADERS' };
  if (url.hash !== '') return { problem: 'it must have no fragment' };
  const host = url.hostname.toLowerCase().replace(/\.+$/, '');
  const problem = hostProblem(host);
  if (problem !== null) return { problem };
  if (url.protocol !== 'https:' && !isInner(host))
    return { problem: 'plain http is only for addresses inside of a private network; use https' };
  return { url: url.href };
}

function isInner(host: string): boolean {
  const address = addressOf(host);
  if (address !== null) return INNER_RANGES.has(address.range());
  return isLoopback(host) || !host.includes('.') || INNER_NAMES.some((ending) => host.endsWith(ending));
}
