/** A webhook that arrived. */
export interface Arrived {
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
  readonly json: Readonly<Record<string, unknown>>;
}

/** What to answer; null never answers. */
export type ReceiverScript = (arrived: Arrived, index: number) => Response | null;

/** A receiver of webhooks on this machine. */
export class Receiver {
  readonly arrived: Arrived[] = [];
  readonly #server: ReturnType<typeof Bun.serve>;
  #script: ReceiverScript = () => new Response('ok');

  constructor() {
    this.#server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      idleTimeout: 0,
      fetch: async (request) => {
        const body = await request.text();
        const json = JSON.parse(body) as Record<string, unknown>;
        const arrived = { path: new URL(request.url).pathname, headers: request.headers, body, json };
        const index = this.arrived.push(arrived) - 1;
        return this.#script(arrived, index) ?? new Promise<Response>(() => undefined);
      },
    });
  }

  /** The address of a path here. */
  url(path = '/hook'): string {
    return `http://127.0.0.1:${this.#server.port}${path}`;
  }

  behave(script: ReceiverScript): void {
    this.#script = script;
  }

  /** The value of one field of all that arrived. */
  all(field: string): unknown[] {
    return this.arrived.map(({ json }) => json[field]);
  }

  /** These fields of all that arrived, as words in a line each; what is not there is left out. Sorted by their text. */
  lines(...fields: readonly string[]): string[] {
    const word = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
    return this.arrived
      .map(({ json }) => fields.flatMap((field) => (json[field] === undefined ? [] : [word(json[field])])).join(' '))
      .toSorted();
  }

  /** Forgets what arrived, and takes everything again. */
  reset(): void {
    this.arrived.length = 0;
    this.#script = () => new Response('ok');
  }

  close(): Promise<void> {
    return this.#server.stop(true);
  }
}
