import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Behaviour } from './mock-provider/behaviour.ts';
import { behaviourByModel } from './mock-provider/by-model.ts';
import { RequestParser, type RawRequest } from './mock-provider/http-parser.ts';
import { play } from './mock-provider/play.ts';

export * from './mock-provider/behaviour.ts';
export * from './mock-provider/completion.ts';

/** A request that arrived, and what became of its connection. */
export interface SeenRequest extends RawRequest {
  /** 0 for the first one. */
  readonly index: number;
  /** Which connection it came on, 0 for the first. */
  readonly connection: number;
  /** True once the connection is closed, by whom ever. */
  readonly closed: boolean;
  /** Resolves when the connection is closed. */
  readonly whenClosed: Promise<void>;
  /** The body as JSON. */
  json(): unknown;
}

/** Chooses what to do with a request. */
export type Script = (request: SeenRequest) => Behaviour | Promise<Behaviour>;

/** An OpenAI-like provider on this machine that misbehaves as told. */
export class MockProvider {
  readonly seen: SeenRequest[] = [];
  /** Connections that were opened. */
  connections = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #script: Script;
  #gate: Promise<void> | null = null;
  #waiters: { readonly count: number; readonly resolve: () => void }[] = [];

  constructor(script: Script) {
    this.#script = script;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** `http://127.0.0.1:PORT/v1`. */
  get baseUrl(): string {
    return `http://127.0.0.1:${this.port}/v1`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that are open now. */
  get openConnections(): number {
    return this.#sockets.size;
  }

  /** What to do from now on: a script, one behaviour for all, or null for what the model's name says. */
  behave(script: Script | Behaviour | null): void {
    this.#script = script === null ? behaviourByModel : typeof script === 'function' ? script : () => script;
  }

  /** Holds every request that arrives until the function that is returned is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    return () => {
      this.#gate = null;
      resolve();
    };
  }

  /** Resolves when `count` requests have arrived in all. */
  async arrived(count: number): Promise<void> {
    if (this.seen.length >= count) return;
    await new Promise<void>((resolve) => this.#waiters.push({ count, resolve }));
  }

  /** Forgets what was seen. */
  reset(): void {
    this.seen.length = 0;
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => this.#server.once('error', reject).listen(port, '127.0.0.1', resolve));
  }

  /** Closes all connections and stops. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    const connection = this.connections++;
    const parser = new RequestParser();
    const closed = Promise.withResolvers<void>();
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      closed.resolve();
    });
    let previous = Promise.resolve();
    socket.on('data', (bytes: Buffer) => {
      for (const request of parser.push(bytes)) {
        const seen = this.#note(request, connection, socket, closed.promise);
        previous = previous.then(() => this.#respond(socket, seen));
      }
    });
  }

  #note(request: RawRequest, connection: number, socket: Socket, whenClosed: Promise<void>): SeenRequest {
    const seen: SeenRequest = {
      ...request,
      index: this.seen.length,
      connection,
      whenClosed,
      json: () => JSON.parse(request.body.toString('utf8')) as unknown,
      get closed() {
        return socket.destroyed;
      },
    };
    this.seen.push(seen);
    const ready = this.#waiters.filter(({ count }) => this.seen.length >= count);
    this.#waiters = this.#waiters.filter(({ count }) => this.seen.length < count);
    for (const { resolve } of ready) resolve();
    return seen;
  }

  async #respond(socket: Socket, seen: SeenRequest): Promise<void> {
    if (this.#gate !== null) await this.#gate;
    await play(socket, await this.#script(seen));
  }
}

export interface MockProviderOptions {
  /** What to do with requests; by the model's name when absent. */
  readonly script?: Script | Behaviour;
  /** 0, any free port, when absent. */
  readonly port?: number;
}

/** Starts a mock provider on 127.0.0.1. */
export async function startMockProvider(options: MockProviderOptions = {}): Promise<MockProvider> {
  const provider = new MockProvider(behaviourByModel);
  provider.behave(options.script ?? null);
  await provider.listen(options.port ?? 0);
  return provider;
}
