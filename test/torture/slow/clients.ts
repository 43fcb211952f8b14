/**
 * Clients that take their time, in a process of their own: `bun clients.ts PORT KEY HEADS BODIES READERS IDLE`.
 * Prints a number when all are connected, then a line of JSON with what is open, each second.
 */
import { connect, type Socket } from 'node:net';

const [port, , heads, bodies, readers, idle] = Bun.argv.slice(2).map(Number);
const key = Bun.argv[3]!;
const EVERY_MS = 1_000;
/** Connecting all in one moment would overflow the queue of the listening socket. */
const AT_ONCE = 100;

const open = { heads: 0, bodies: 0, idle: 0 };
const sockets: Promise<void>[] = [];

function start(kind: keyof typeof open | null, first: string, drips: boolean, paused = false): Socket {
  const socket = connect(port!, '127.0.0.1');
  sockets.push(new Promise((resolve) => socket.once('connect', resolve).once('error', () => resolve())));
  if (kind !== null) open[kind]++;
  socket.write(first);
  const timer = drips ? setInterval(() => socket.write('a'), EVERY_MS) : undefined;
  socket.on('error', () => undefined);
  if (paused) socket.pause();
  else socket.resume();
  socket.on('close', () => {
    clearInterval(timer);
    if (kind !== null) open[kind]--;
  });
  return socket;
}

const post = (length: number): string =>
  `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
const large = JSON.stringify({ model: 'large', messages: [{ role: 'user', content: 'Everything.' }], stream: true });

const plan = [
  ...Array.from({ length: heads! }, () => () => start('heads', 'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nx-slow: ', true)),
  ...Array.from({ length: bodies! }, () => () => start('bodies', `${post(1_000)}{"model":"`, true)),
  ...Array.from({ length: readers! }, () => () => start(null, post(large.length) + large, false, true)),
  ...Array.from({ length: idle! }, () => () => start('idle', 'GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n', false)),
];
for (let at = 0; at < plan.length; at += AT_ONCE) {
  for (const make of plan.slice(at, at + AT_ONCE)) make();
  await Promise.all(sockets);
}
console.log(sockets.length);
setInterval(() => console.log(JSON.stringify(open)), EVERY_MS / 2);
