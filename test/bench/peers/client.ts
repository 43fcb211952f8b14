/**
 * Load over keep-alive connections, a process of its own. Its argument is JSON `{port, headers, body, path?, connections, requests,
 * status?}`. Prints `{requests, failed, seconds, p50Ms, p99Ms}`.
 */
import { percentile } from '../../support/percentile.ts';
import { DIGITS, requestOf } from './bodies.ts';

interface Argument {
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly path?: string;
  readonly connections: number;
  readonly requests: number;
  readonly status?: number;
}

const { port, headers, body, path = '/v1/chat/completions', connections, requests, status = 200 } = JSON.parse(Bun.argv[2]!) as Argument;
const { bytes, numberAt } = requestOf(body, path, port, headers);

/** What has come of an answer. */
interface Connection {
  readonly request: Buffer;
  /** What of the request the socket has not taken yet. */
  unsent: Buffer;
  sentMs: number;
  /** The head while it is not whole, in latin1. */
  head: string;
  /** Bytes of the body that are still to come; null while the head is not whole; Infinity for a chunked one. */
  left: number | null;
  /** The end of a chunked body so far. */
  tail: string;
  /** True when its last answer has come, and the server closes it. */
  isAnswered: boolean;
}

type Peer = Bun.Socket<Connection>;

let sent = 0;
let failed = 0;
const tookMs: number[] = [];
const base = Date.now() % 1e9;
const finished = Promise.withResolvers<void>();

function sendNext(socket: Peer): void {
  if (sent >= requests) return void socket.end();
  const { data } = socket;
  data.request.write(String(base + sent++).padStart(DIGITS, '0'), numberAt, 'latin1');
  data.head = '';
  data.left = null;
  data.tail = '';
  data.sentMs = performance.now();
  data.unsent = data.request;
  write(socket);
}

function write(socket: Peer): void {
  const { data } = socket;
  if (data.unsent.length > 0) data.unsent = data.unsent.subarray(socket.write(data.unsent));
}

/** Takes bytes of an answer; true when it is whole. */
function take(data: Connection, bytes: Buffer): boolean {
  if (data.left === null) {
    data.head += bytes.toString('latin1');
    const end = data.head.indexOf('\r\n\r\n');
    if (end < 0) return false;
    if (!data.head.startsWith(`HTTP/1.1 ${status}`)) failed++;
    const length = /\r\ncontent-length: *(\d+)/i.exec(data.head.slice(0, end))?.[1];
    const rest = data.head.length - end - 4;
    data.left = length === undefined ? Infinity : Number(length) - rest;
    data.tail = data.head.slice(end + 4).slice(-8);
  } else {
    data.left -= bytes.length;
    if (data.left === Infinity) data.tail = (data.tail + bytes.toString('latin1', Math.max(0, bytes.length - 8))).slice(-8);
  }
  return data.left === Infinity ? data.tail.endsWith('\r\n0\r\n\r\n') || data.tail === '0\r\n\r\n' : data.left <= 0;
}

/** Whether the other end will close the connection after the answer that has just come. */
function isLast({ head }: Connection): boolean {
  return /\r\nconnection: *close\r\n/i.test(head);
}

async function connect(): Promise<void> {
  await Bun.connect<Connection>({
    hostname: '127.0.0.1',
    port,
    data: { request: Buffer.from(bytes), unsent: bytes, sentMs: 0, head: '', left: null, tail: '', isAnswered: false },
    socket: {
      open: sendNext,
      drain: write,
      data(socket, chunk) {
        const { data } = socket;
        if (data.isAnswered || !take(data, chunk)) return;
        tookMs.push(performance.now() - data.sentMs);
        if (tookMs.length === requests) return finished.resolve();
        if (!isLast(data)) return sendNext(socket);
        data.isAnswered = true;
        socket.end();
        if (sent < requests) void connect();
      },
      close({ data }) {
        if (!data.isAnswered && tookMs.length < requests && sent < requests) finished.reject(new Error('a connection was closed'));
      },
    },
  });
}

const startedMs = performance.now();
for (let index = 0; index < connections; index++) await connect();
await finished.promise;
const seconds = (performance.now() - startedMs) / 1000;
console.log(JSON.stringify({ requests, failed, seconds, p50Ms: percentile(tookMs, 0.5), p99Ms: percentile(tookMs, 0.99) }));
process.exit(0);
