import { connect, type Socket } from 'node:net';
import type { ClientEnd } from './table/vector.ts';

/** One whole answer. */
export interface RawAnswer {
  readonly status: number;
  readonly body: string;
}

/** What came back on one connection. */
export interface Talk {
  readonly answers: readonly RawAnswer[];
  readonly closed: boolean;
  /** What is left over behind the last whole answer. */
  readonly rest: string;
}

/** What to send, and when that is enough. */
export interface Wish {
  readonly port: number;
  readonly text: string;
  /** Methods of all requests, those sent later too, as far as they are known: an answer to HEAD has no body. */
  readonly methods: readonly string[];
  /** Sent one by one, each when all before it is answered. */
  readonly later?: readonly string[];
  /** True when what is sent later does not wait longer than a moment for answers. */
  readonly isImpatient?: boolean;
  /** True when the server has to close the connection: only then is it waited for. */
  readonly mustClose: boolean;
  readonly end?: ClientEnd;
  readonly pieces?: number;
}

const SILENT_MS = 2_500;
const SETTLED_MS = 40;
const IMPATIENT_MS = 120;
const LEAVES_AFTER_MS = 40;
const BETWEEN_PIECES_MS = 4;

/** Sends bytes on a connection of their own, and reads until nothing more can be expected. */
export function talk(wish: Wish): Promise<Talk> {
  return new Conversation(wish).done;
}

class Conversation {
  readonly done: Promise<Talk>;
  readonly #wish: Wish;
  readonly #socket: Socket;
  readonly #later: string[];
  readonly #resolve: (talk: Talk) => void;
  #text = '';
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(wish: Wish) {
    const { promise, resolve } = Promise.withResolvers<Talk>();
    this.done = promise;
    this.#resolve = resolve;
    this.#wish = wish;
    this.#later = [...(wish.later ?? [])];
    this.#socket = connect(wish.port, '127.0.0.1');
    this.#socket.on('data', (data: Buffer) => {
      this.#text += data.toString('latin1');
      this.#goOn();
    });
    this.#socket.on('error', () => undefined);
    this.#socket.on('end', () => this.#over(true));
    this.#socket.on('close', () => this.#over(true));
    this.#socket.on('connect', () => void this.#begin());
    this.#goOn();
  }

  async #begin(): Promise<void> {
    const { end } = this.#wish;
    await write(this.#socket, this.#wish);
    if (end === 'shuts') this.#socket.end();
    if (end === 'leaves') setTimeout(() => this.#over(false), LEAVES_AFTER_MS);
  }

  #goOn(): void {
    const { methods, mustClose, isImpatient = false } = this.#wish;
    const { answers } = splitAnswers(this.#text, methods);
    clearTimeout(this.#timer);
    if (this.#later.length > 0) {
      if (answers.length >= methods.length - this.#later.length) this.#next();
      else this.#timer = setTimeout(() => (isImpatient ? this.#next() : this.#over(false)), isImpatient ? IMPATIENT_MS : SILENT_MS);
      return;
    }
    const isEnough = !mustClose && answers.length >= methods.length;
    this.#timer = setTimeout(() => this.#over(false), isEnough ? SETTLED_MS : SILENT_MS);
  }

  #next(): void {
    this.#socket.write(Buffer.from(this.#later.shift()!, 'latin1'));
    this.#goOn();
  }

  #over(closed: boolean): void {
    clearTimeout(this.#timer);
    this.#socket.destroy();
    this.#resolve({ ...splitAnswers(this.#text, this.#wish.methods), closed });
  }
}

async function write(socket: Socket, { text, pieces = 1 }: Wish): Promise<void> {
  const size = Math.ceil(text.length / pieces);
  for (let at = 0; at < text.length && !socket.destroyed; at += size) {
    socket.write(Buffer.from(text.slice(at, at + size), 'latin1'));
    if (pieces > 1) await Bun.sleep(BETWEEN_PIECES_MS);
  }
}

/** Cuts what a connection gave back into its answers. What is not HTTP stays in the rest. */
export function splitAnswers(text: string, methods: readonly string[]): Omit<Talk, 'closed'> {
  const answers: RawAnswer[] = [];
  let rest = text;
  for (;;) {
    const headEnd = rest.indexOf('\r\n\r\n');
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(rest)?.[1]);
    if (headEnd < 0 || Number.isNaN(status)) return { answers, rest };
    const head = rest.slice(0, headEnd + 2);
    const body = bodyOf(head, rest.slice(headEnd + 4), status, methods[answers.length]);
    if (body === null) return { answers, rest };
    rest = rest.slice(headEnd + 4 + body.taken);
    if (status >= 200) answers.push({ status, body: body.text });
  }
}

function bodyOf(head: string, after: string, status: number, method: string | undefined): { text: string; taken: number } | null {
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return { text: '', taken: 0 };
  if (/^transfer-encoding: *chunked\r$/im.test(head)) return chunkedBody(after);
  const length = /^content-length: *(\d+)\r$/im.exec(head)?.[1];
  if (length === undefined) return { text: after, taken: after.length };
  return after.length < Number(length) ? null : { text: after.slice(0, Number(length)), taken: Number(length) };
}

function chunkedBody(after: string): { text: string; taken: number } | null {
  let text = '';
  let at = 0;
  for (;;) {
    const lineEnd = after.indexOf('\r\n', at);
    const size = Number.parseInt(after.slice(at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (lineEnd < 0 || Number.isNaN(size) || after.length < next) return null;
    text += after.slice(lineEnd + 2, lineEnd + 2 + size);
    at = next;
    if (size === 0) return { text, taken: at };
  }
}
