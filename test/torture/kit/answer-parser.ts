/** Reads one answer of HTTP/1.1 as it arrives, and knows whether it is whole. Strict about ends, careless about the rest. */
export class AnswerParser {
  status = 0;
  headers: Record<string, string> = {};
  hasHead = false;
  isWhole = false;
  bodyBytes = 0;
  readonly #method: string;
  readonly #parts: Buffer[] = [];
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes of the body that are still to come, or null when only the close ends it. */
  #left: number | null = null;
  #isChunked = false;

  constructor(method: string) {
    this.#method = method;
  }

  get body(): string {
    return Buffer.concat(this.#parts).toString();
  }

  push(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    while (!this.hasHead && this.#takeHead()) continue;
    if (!this.hasHead || this.isWhole) return;
    if (this.#isChunked) while (this.#takeChunk()) continue;
    else this.#takePlain();
  }

  /** True when a head was taken that is not the last one: informational ones come before it. */
  #takeHead(): boolean {
    const end = this.#rest.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const [first = '', ...lines] = this.#rest.subarray(0, end).toString('latin1').split('\r\n');
    this.#rest = this.#rest.subarray(end + 4);
    this.status = Number(first.split(' ')[1]);
    if (this.status >= 100 && this.status < 200) return true;
    for (const line of lines) {
      const colon = line.indexOf(':');
      this.headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    this.hasHead = true;
    this.#isChunked = this.headers['transfer-encoding'] === 'chunked';
    const length = this.headers['content-length'];
    const isEmpty = this.#method === 'HEAD' || this.status === 204 || this.status === 304;
    this.#left = isEmpty ? 0 : length === undefined ? null : Number(length);
    if (this.#left === 0 && !this.#isChunked) this.isWhole = true;
    return false;
  }

  #takePlain(): void {
    this.#keep(this.#rest);
    this.#rest = Buffer.alloc(0);
    if (this.#left !== null && this.bodyBytes >= this.#left) this.isWhole = true;
  }

  #takeChunk(): boolean {
    const lineEnd = this.#rest.indexOf('\r\n');
    if (lineEnd < 0) return false;
    const size = Number.parseInt(this.#rest.subarray(0, lineEnd).toString('latin1'), 16);
    const next = lineEnd + 2 + size + 2;
    if (this.#rest.length < next) return false;
    if (size === 0) this.isWhole = true;
    else this.#keep(this.#rest.subarray(lineEnd + 2, lineEnd + 2 + size));
    this.#rest = this.#rest.subarray(next);
    return size > 0;
  }

  #keep(bytes: Buffer): void {
    this.bodyBytes += bytes.length;
    if (bytes.length > 0) this.#parts.push(bytes);
  }
}
