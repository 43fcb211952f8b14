import { CliProblem } from './problem.ts';

const TIMEOUT_MS = 30_000;
const MOST_REDIRECTS = 3;
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * The text behind an address that a person named, at most `maxBytes` of it. Only https, or http on this machine, on every hop; sends
 * no token and follows no redirect that leaves that. Throws `CliProblem` with one line that says what is wrong.
 */
export async function download(address: string, maxBytes: number): Promise<string> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  let url = safeUrl(address, address);
  for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
    const response = await ask(url, signal);
    const target = response.headers.get('location');
    if (response.status < 300 || response.status > 399 || target === null) return await textOf(response, url, maxBytes);
    await response.body?.cancel().catch(() => undefined);
    url = safeUrl(new URL(target, url).href, url.href);
  }
  throw new CliProblem(`${address} redirects too often`);
}

function safeUrl(address: string, from: string): URL {
  const url = URL.parse(address);
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.has(url.hostname));
  if (url !== null && isSafe && url.username === '' && url.password === '') return url;
  const shown = url === null ? address : `${url.protocol}//${url.host}${url.pathname}`;
  const which = address === from ? shown : `${from} redirects to ${shown}, which`;
  throw new CliProblem(`${which} is not an https address (http only on this machine, and no password in it)`);
}

async function ask(url: URL, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, { redirect: 'manual', signal, headers: { accept: 'application/json' } });
  } catch (error) {
    throw unreachable(url, error);
  }
}

async function textOf(response: Response, url: URL, maxBytes: number): Promise<string> {
  if (!response.ok) throw new CliProblem(`${url.href} answers with status ${response.status}`);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let [text, bytes] = ['', 0];
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) throw new CliProblem(`${url.href} has more than ${maxBytes} bytes`);
      text += decoder.decode(chunk, { stream: true });
    }
    return text + decoder.decode();
  } catch (error) {
    throw error instanceof CliProblem ? error : unreachable(url, error);
  }
}

function unreachable(url: URL, error: unknown): CliProblem {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return new CliProblem(`cannot read ${url.href} (${typeof code === 'string' ? code : String(name)})`, 2, { cause: error });
}
