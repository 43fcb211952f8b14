/**
 * Load of small chat requests over keep-alive connections, a process of its own: `client.ts PORT KEY CONNECTIONS REQUESTS`.
 * Prints `{requests, failed, seconds, p50Ms, p99Ms}`.
 */
import { percentile } from '../../support/percentile.ts';

const [port, key, connections, requests] = [Number(Bun.argv[2]), Bun.argv[3]!, Number(Bun.argv[4]), Number(Bun.argv[5])];

const DIGITS = 10;
// Every request says another number, so that nothing takes them for a loop.
const text = `{"model":"gpt-4.1-mini","messages":[{"role":"system","content":"You are a helpful assistant."},{"role":"user","content":"Name tree number ${'0'.repeat(DIGITS)}, please."}],"temperature":0.7}`;
const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\naccept: application/json\r\nuser-agent: bench\r\ncontent-length: ${text.length}\r\n\r\n`;
const numberAt = head.length + text.indexOf('0'.repeat(DIGITS));

interface Connection {
  readonly request: Buffer;
  received: string;
  sentMs: number;
}

let sent = 0;
let failed = 0;
const tookMs: number[] = [];
const base = Date.now() % 1e9;
const finished = Promise.withResolvers<void>();

type Peer = Bun.Socket<Connection>;

function sendNext(socket: Peer): void {
  if (sent >= requests) return void socket.end();
  socket.data.request.write(String(base + sent++).padStart(DIGITS, '0'), numberAt, 'latin1');
  socket.data.sentMs = performance.now();
  socket.data.received = '';
  socket.write(socket.data.request);
}

/** Whether the text is a whole answer: it is framed by its length or in chunks. */
function isWhole(answer: string): boolean {
  const end = answer.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const length = /\r\ncontent-length: *(\d+)/i.exec(answer.slice(0, end))?.[1];
  return length === undefined ? answer.endsWith('\r\n0\r\n\r\n') : answer.length >= end + 4 + Number(length);
}

const startedMs = performance.now();
for (let index = 0; index < connections; index++) {
  await Bun.connect<Connection>({
    hostname: '127.0.0.1',
    port,
    data: { request: Buffer.from(head + text), received: '', sentMs: 0 },
    socket: {
      open: sendNext,
      data(socket, bytes) {
        const { data } = socket;
        data.received += bytes.toString('latin1');
        if (!isWhole(data.received)) return;
        tookMs.push(performance.now() - data.sentMs);
        if (!data.received.startsWith('HTTP/1.1 200')) failed++;
        if (tookMs.length === requests) finished.resolve();
        sendNext(socket);
      },
      close() {
        if (tookMs.length < requests && sent < requests) finished.reject(new Error('a connection was closed'));
      },
    },
  });
}
await finished.promise;
const seconds = (performance.now() - startedMs) / 1000;
console.log(JSON.stringify({ requests, failed, seconds, p50Ms: percentile(tookMs, 0.5), p99Ms: percentile(tookMs, 0.99) }));
process.exit(0);
