import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { RequestParser } from '../../support/mock-provider/http-parser.ts';
import { events } from '../upstream/kinds.ts';

/** What a provider does with a stream: ends it in order, in the middle, or goes on for seconds until nobody listens any more. */
export type ProviderFate = 'finish' | 'cut' | 'reset' | 'linger';

/** A stream as its provider saw it. Times in milliseconds of `performance.now()`, null for what has not come. */
export interface Served {
  readonly arrivedAtMs: number;
  /** When its last byte was written. */
  finishedAtMs: number | null;
  /** When its connection was closed. */
  closedAtMs: number | null;
}

/** A provider of streams that last some ten milliseconds; what it does to each stands in the request's `user`: `NAME.FATE.PIECE`. */
export interface StreamProvider {
  readonly baseUrl: string;
  readonly served: Map<string, Served>;
  close(): void;
}

const LONGEST_PAUSE_MS = 12;
/** How often, and how many times, a lingering provider says one more word. */
const LINGER = { everyMs: 40, times: 100 };
const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';

/** Starts one on 127.0.0.1. */
export async function startStreamProvider(): Promise<StreamProvider> {
  const served = new Map<string, Served>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const parser = new RequestParser();
    let current: Served | null = null;
    sockets.add(socket.setNoDelay(true));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      if (current !== null) current.closedAtMs = performance.now();
    });
    socket.on('data', (bytes: Buffer) => {
      for (const request of parser.push(bytes)) {
        const { user } = JSON.parse(request.body.toString()) as { readonly user: string };
        current = { arrivedAtMs: performance.now(), finishedAtMs: null, closedAtMs: null };
        served.set(user, current);
        void stream(socket, user, current);
      }
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, served, close };
}

async function stream(socket: Socket, marker: string, seen: Served): Promise<void> {
  const [, fate, piece] = marker.split('.') as [string, ProviderFate, string];
  socket.write(HEAD);
  const write = (event: string) => socket.write(`${Buffer.byteLength(event).toString(16)}\r\n${event}\r\n`);
  const pieces = piecesOf(marker);
  if (fate === 'linger') await linger(socket, () => write(pieces[0]!));
  for (const [index, event] of pieces.entries()) {
    await Bun.sleep(Math.random() * LONGEST_PAUSE_MS);
    if (socket.destroyed) return;
    if (index === Number(piece) && fate === 'cut') return void socket.end();
    if (index === Number(piece) && fate === 'reset') return void socket.resetAndDestroy();
    write(event);
  }
  seen.finishedAtMs = performance.now();
  socket.write('0\r\n\r\n');
}

async function linger(socket: Socket, say: () => void): Promise<void> {
  for (let turn = 0; turn < LINGER.times && !socket.destroyed; turn++) {
    say();
    await Bun.sleep(LINGER.everyMs);
  }
}

/** The events of a stream: five words, its end, its usage. */
export function piecesOf(marker: string): string[] {
  const [first = '', ...rest] = events(marker);
  return [first, first, first, ...rest];
}
