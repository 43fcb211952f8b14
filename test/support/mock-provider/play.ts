import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Answer, Behaviour } from './behaviour.ts';

/** Does with a socket what the behaviour says. Resolves when that is over; a socket that closes first ends it quietly. */
export async function play(socket: Socket, behaviour: Behaviour): Promise<void> {
  if (socket.destroyed || behaviour.kind === 'silence') return;
  if (behaviour.kind === 'reset') socket.resetAndDestroy();
  else if (behaviour.kind === 'garbage') socket.end(behaviour.text);
  else await answer(socket, behaviour);
}

async function answer(socket: Socket, what: Answer): Promise<void> {
  await pause(what.headDelayMs);
  await write(socket, headOf(what));
  for (const [index, chunk] of what.chunks.entries()) {
    if (socket.destroyed) return;
    if (what.silentAfter === index) return;
    if (what.cutAfter === index) return cut(socket);
    await pause(what.intervalMs);
    await write(socket, what.framing === 'chunked' ? framed(chunk) : chunk);
  }
  if (what.cutAfter === what.chunks.length) return cut(socket);
  if (what.silentAfter === what.chunks.length) return;
  if (what.framing === 'chunked') await write(socket, '0\r\n\r\n');
  if (what.framing === 'close' || what.framing === 'short') socket.end();
}

function headOf({ status, headers, framing, chunks }: Answer): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  if (framing === 'length') lines.push(`content-length: ${length}\r\n`);
  if (framing === 'short') lines.push(`content-length: ${length + 10}\r\n`);
  if (framing === 'chunked') lines.push('transfer-encoding: chunked\r\n');
  if (framing === 'close') lines.push('connection: close\r\n');
  return `HTTP/1.1 ${status} Mock\r\n${lines.join('')}\r\n`;
}

function framed(chunk: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]);
}

/** Lets what was written leave, then breaks the connection. */
async function cut(socket: Socket): Promise<void> {
  await pause(20);
  socket.resetAndDestroy();
}

async function write(socket: Socket, bytes: Uint8Array | string): Promise<void> {
  if (socket.destroyed || socket.write(bytes)) return;
  await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => undefined);
}

async function pause(ms: number): Promise<void> {
  if (ms > 0) await Bun.sleep(ms);
}
