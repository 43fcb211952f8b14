import type { CliEnvironment } from '../config.ts';
import { CliProblem, ServerRefusal } from './problem.ts';

/** How long one answer of the server may take. */
const ANSWER_MS = 60_000;
/** The same for what reads a whole ledger. */
const SLOW_ANSWER_MS = 3_600_000;

/** The operator token for this machine never passes through a proxy that the environment names. */
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** A page of a list, as the operator API sends it. */
export interface Page<Row> {
  readonly data: readonly Row[];
  readonly next_cursor: string | null;
}

type Headers = Readonly<Record<string, string>>;

/** Filters of a request; undefined ones are left out. */
export type Query = Readonly<Record<string, string | undefined>>;

/** Talks to the operator API of one server. Every method throws `CliProblem` with one line that says what to do. */
export class Client {
  readonly #environment: CliEnvironment;

  constructor(environment: CliEnvironment) {
    this.#environment = environment;
  }

  /** The data directory that the environment names, whether it is there or not. */
  get dataDir(): string {
    return this.#environment.dataDir;
  }

  async get<Answer>(path: string, query: Query = {}): Promise<Answer> {
    return (await this.#send('GET', path, query)) as Answer;
  }

  /** For answers that take minutes. */
  async getSlowly<Answer>(path: string, query: Query = {}): Promise<Answer> {
    return (await this.#send('GET', path, query, undefined, {}, SLOW_ANSWER_MS)) as Answer;
  }

  /** The same for what takes minutes to make. */
  async postSlowly<Answer>(path: string): Promise<Answer> {
    return (await this.#send('POST', path, {}, {}, {}, SLOW_ANSWER_MS)) as Answer;
  }

  /** An answer that is no JSON, piece by piece as it arrives. Throws also when it breaks off. */
  async *pieces(path: string, query: Query = {}): AsyncGenerator<Uint8Array> {
    const response = await this.#fetch(this.#address(`/admin/v1${path}`, query), { method: 'GET', headers: this.#headers() }, null);
    if (!response.ok) throw refused(response.status, await answerOf(response));
    try {
      for await (const piece of response.body!) yield piece;
    } catch (error) {
      throw new CliProblem(`the answer broke off (${codeOf(error)}): what arrived is not all`, 1, { cause: error });
    }
  }

  /** A body that is a text is sent as it stands. */
  async post<Answer>(path: string, body: object | string = {}): Promise<Answer> {
    return (await this.#send('POST', path, {}, body)) as Answer;
  }

  async put<Answer>(path: string, body: object, query: Query = {}, headers: Headers = {}): Promise<Answer> {
    return (await this.#send('PUT', path, query, body, headers)) as Answer;
  }

  async patch<Answer>(path: string, body: object): Promise<Answer> {
    return (await this.#send('PATCH', path, {}, body)) as Answer;
  }

  async delete(path: string, query: Query = {}): Promise<void> {
    await this.#send('DELETE', path, query);
  }

  /** The data of each event of an answer that comes piece by piece. With a body it is a POST. */
  async *events<Data>(path: string, query: Query = {}, body?: object): AsyncGenerator<Data> {
    const headers = { ...this.#headers(), accept: 'text/event-stream', ...(body ? { 'content-type': 'application/json' } : {}) };
    const init = body ? { method: 'POST', headers, body: JSON.stringify(body) } : { method: 'GET', headers };
    const response = await this.#fetch(this.#address(`/admin/v1${path}`, query), init, null);
    if (!response.ok) throw refused(response.status, await answerOf(response));
    let rest = '';
    for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
      const events = (rest + text).split('\n\n');
      rest = events.pop()!;
      for (const event of events) {
        const data = event.split('\n').find((line) => line.startsWith('data: '));
        if (data !== undefined) yield JSON.parse(data.slice('data: '.length)) as Data;
      }
    }
  }

  /** All rows of a list, page by page. */
  async all<Row>(path: string, query: Query = {}): Promise<Row[]> {
    const rows: Row[] = [];
    let cursor: string | undefined;
    do {
      const page: Page<Row> = await this.get(path, { ...query, cursor });
      if (!Array.isArray(page?.data)) throw noPanicly(this.#environment.url, 200);
      rows.push(...page.data);
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
    return rows;
  }

  /** The state of the server from `/readyz`, which needs no token and may be a 503. */
  async readiness(): Promise<{ readonly status: string; readonly parts: Readonly<Record<string, boolean>> }> {
    const response = await this.#fetch(this.#address('/readyz', {}), { method: 'GET' });
    const readiness = (await answerOf(response)) as { status: string; parts?: Record<string, boolean> } | null;
    if (typeof readiness?.parts !== 'object') throw noPanicly(response.url, response.status);
    return { ...readiness, parts: readiness.parts };
  }

  async #send(
    method: string,
    path: string,
    query: Query,
    body?: object | string,
    more: Headers = {},
    answerMs = ANSWER_MS,
  ): Promise<unknown> {
    const { url } = this.#environment;
    const headers = { ...this.#headers(), ...more, ...(body ? { 'content-type': 'application/json' } : {}) };
    const init = { method, headers, ...(body ? { body: typeof body === 'string' ? body : JSON.stringify(body) } : {}) };
    const response = await this.#fetch(this.#address(`/admin/v1${path}`, query), init, answerMs);
    if (response.status === 204) return null;
    const answer = await answerOf(response);
    if (response.ok) return answer;
    if (response.status === 401) throw new CliProblem(`${url} does not accept this operator token: check PANICLY_TOKEN and PANICLY_DATA`);
    throw refused(response.status, answer);
  }

  #headers(): Record<string, string> {
    const { token } = this.#environment;
    if (token === null)
      throw new CliProblem('no operator token: set PANICLY_TOKEN, or PANICLY_DATA to the data directory of the server on this machine');
    return { authorization: `Bearer ${token}`, accept: 'application/json' };
  }

  #address(path: string, query: Query): URL {
    const address = URL.parse(path, this.#environment.url);
    if (!address?.protocol.startsWith('http'))
      throw new CliProblem(`PANICLY_URL is not an address such as http://127.0.0.1:3000: ${this.#environment.url}`);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) address.searchParams.set(name, value);
    return address;
  }

  /** `answerMs` null waits as long as the server does. */
  async #fetch(address: URL, init: RequestInit, answerMs: number | null = ANSWER_MS): Promise<Response> {
    try {
      const direct = LOOPBACK.has(address.hostname) ? { proxy: false as const } : {};
      return await fetch(address, { ...init, ...direct, redirect: 'error', ...limitOf(answerMs) });
    } catch (error) {
      throw new CliProblem(
        `no Panicly answers at ${address.origin} (${codeOf(error)}): start it with "panicly serve", or set PANICLY_URL`,
        2,
        {
          cause: error,
        },
      );
    }
  }
}

async function answerOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch (error) {
    throw noPanicly(response.url, response.status, error);
  }
}

function noPanicly(address: string, status: number, cause?: unknown): CliProblem {
  return new CliProblem(`${new URL(address).origin} answers, but it is no Panicly (status ${status})`, 2, { cause });
}

function refused(status: number, answer: unknown): CliProblem {
  const { message, param } = (answer as { error?: { message?: unknown; param?: unknown } } | null)?.error ?? {};
  const sentence = typeof message === 'string' ? message : `the server answered with status ${status}`;
  return new ServerRefusal(sentence, status, typeof param === 'string' ? param : null);
}

function limitOf(answerMs: number | null): RequestInit {
  return answerMs === null ? {} : { signal: AbortSignal.timeout(answerMs) };
}

function codeOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return typeof code === 'string' ? code : String(name);
}
