import { connect, type Socket } from 'node:net';

/** One stream that a client reads off its own socket: when each piece came, and how it ended. */
export class RawStream {
  /** Everything after the head, chunk framing included. */
  body = '';
  /** The decision that the head names. */
  decisionId: string | null = null;
  /** When the provider's last word came, in milliseconds of `performance.now()`. */
  lastWordAtMs = 0;
  /** Words of the provider that came. */
  words = 0;
  /** When the connection ended, or null while it is open. */
  endedAtMs: number | null = null;
  readonly ended: Promise<void>;
  readonly #socket: Socket;
  #head = '';
  #whenWord: { readonly resolve: () => void; readonly promise: Promise<void> } = Promise.withResolvers<void>();

  constructor(port: number, key: string, body: object) {
    const text = JSON.stringify(body);
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\n` +
        `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
    );
    this.#socket.on('data', (bytes: Buffer) => this.#take(bytes.toString(), performance.now()));
    this.#socket.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      this.#socket.once('close', () => {
        this.endedAtMs = performance.now();
        resolve();
      });
    });
  }

  /** Resolves when the first word has come. */
  get started(): Promise<void> {
    return this.#whenWord.promise;
  }

  /** The status line, once it is here. */
  get status(): string {
    return this.#head.slice(0, this.#head.indexOf('\r\n'));
  }

  /** Whether the body has the mark of a clean end: the last chunk, or the protocol's own. */
  get looksComplete(): boolean {
    return this.body.endsWith('\r\n0\r\n\r\n') || this.body.includes('[DONE]');
  }

  /** The code of the error event that came last, or null. */
  get errorCode(): string | null {
    return /data: \{"error":\{[^\n]*"code":"(\w+)"/.exec(this.body)?.[1] ?? null;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #take(text: string, atMs: number): void {
    if (this.decisionId === null) return this.#takeHead(text, atMs);
    this.body += text;
    const words = text.split('"delta":{"content"').length - 1;
    if (words === 0) return;
    this.words += words;
    this.lastWordAtMs = atMs;
    this.#whenWord.resolve();
  }

  #takeHead(text: string, atMs: number): void {
    this.#head += text;
    const end = this.#head.indexOf('\r\n\r\n');
    if (end === -1) return;
    const rest = this.#head.slice(end + 4);
    this.#head = this.#head.slice(0, end);
    this.decisionId = /^x-panicly-decision-id: (\S+)/im.exec(this.#head)?.[1] ?? '';
    if (rest !== '') this.#take(rest, atMs);
  }
}
