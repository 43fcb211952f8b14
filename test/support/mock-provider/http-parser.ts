/** A request exactly as it came over the socket. */
export interface RawRequest {
  readonly method: string;
  readonly path: string;
  /** By lower-case name; repeated headers are joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** The head as text, for grepping. */
  readonly head: string;
  readonly body: Buffer;
}

const END_OF_HEAD = '\r\n\r\n';

/** Takes the bytes of one connection and gives back whole requests, pipelined ones too. */
export class RequestParser {
  #rest: Buffer = Buffer.alloc(0);

  push(bytes: Buffer): RawRequest[] {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const requests: RawRequest[] = [];
    for (let next = this.#take(); next !== null; next = this.#take()) requests.push(next);
    return requests;
  }

  #take(): RawRequest | null {
    const end = this.#rest.indexOf(END_OF_HEAD);
    if (end < 0) return null;
    const head = this.#rest.subarray(0, end).toString('latin1');
    const [requestLine = '', ...lines] = head.split('\r\n');
    const headers = headersOf(lines);
    const after = this.#rest.subarray(end + END_OF_HEAD.length);
    const taken =
      headers['transfer-encoding'] === 'chunked' ? takeChunks(after) : takeLength(after, Number(headers['content-length'] ?? 0));
    if (taken === null) return null;
    this.#rest = after.subarray(taken.used);
    const [method = '', path = ''] = requestLine.split(' ');
    return { method, path, headers, head, body: taken.body };
  }
}

interface Taken {
  readonly body: Buffer;
  readonly used: number;
}

function headersOf(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return headers;
}

function takeLength(bytes: Buffer, length: number): Taken | null {
  return bytes.length < length ? null : { body: Buffer.from(bytes.subarray(0, length)), used: length };
}

function takeChunks(bytes: Buffer): Taken | null {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16);
    const next = lineEnd + 2 + size + 2;
    if (bytes.length < next) return null;
    if (size === 0) return { body: Buffer.concat(parts), used: next };
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = next;
  }
}
