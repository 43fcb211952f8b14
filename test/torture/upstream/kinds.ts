import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';

/** What a client has to see of a fault. */
export type Expected =
  /** Our own error, as JSON. */
  | 'refused'
  /** A connection that broke, or our own error. */
  | 'cut'
  /** Everything that the provider sent, with a clean end. */
  | 'whole'
  /** Whatever it is, it must be read as HTTP. */
  | 'anything';

/** One way in which a provider goes wrong. */
export interface Kind {
  readonly name: string;
  readonly stream: boolean;
  readonly expected: Expected;
  /** HTML that the provider itself sends is passed on as it is. */
  readonly sendsHtml?: boolean;
  /** Plays the fault on the socket of a request whose marker is given. */
  play(socket: Socket, marker: string, trapUrl: string): void | Promise<void>;
}

const END = '\r\n\r\n';
const MOST_FLOOD_BYTES = 64 * 1024 * 1024;

/** An ordinary answer that holds the marker of its request. */
export function completion(marker: string): string {
  const choice = { index: 0, message: { role: 'assistant', content: `An oak for ${marker}.` }, finish_reason: 'stop' };
  const usage = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 };
  return JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'gpt-4.1-mini', choices: [choice], usage });
}

/** An ordinary stream, one event for each piece. */
export function events(marker: string): string[] {
  const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'gpt-4.1-mini' };
  const delta = (content: string) =>
    `data: ${JSON.stringify({ ...head, choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`;
  const last = `data: ${JSON.stringify({ ...head, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\n`;
  const usage = `data: ${JSON.stringify({ ...head, choices: [], usage: { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 } })}\n\n`;
  return [delta('An '), delta('oak '), delta(`for ${marker} `), last, usage, 'data: [DONE]\n\n'];
}

const chunk = (text: string | Buffer): Buffer => {
  const bytes = Buffer.from(text as string);
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
};
const jsonHead = (length: number, more = ''): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${more}content-length: ${length}${END}`;
const STREAM_HEAD = `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked${END}`;
const LAST_CHUNK = '0\r\n\r\n';
const half = (text: string): string => text.slice(0, text.length >> 1);

function writeJson(socket: Socket, body: string | Buffer, more = ''): void {
  socket.write(Buffer.concat([Buffer.from(jsonHead(Buffer.byteLength(body), more)), Buffer.from(body as string)]));
}

async function writeStream(socket: Socket, pieces: readonly (string | Buffer)[]): Promise<void> {
  socket.write(STREAM_HEAD);
  for (const piece of pieces) {
    socket.write(chunk(piece));
    await Bun.sleep(1);
  }
}

/** Writes the same again and again until the other side has enough. */
async function flood(socket: Socket, piece: string): Promise<void> {
  const block = piece.repeat(200);
  for (let sent = 0; sent < MOST_FLOOD_BYTES && !socket.destroyed; sent += block.length) {
    if (!socket.write(block)) await new Promise<void>((resolve) => socket.once('drain', resolve).once('close', () => resolve()));
  }
  socket.destroy();
}

function kind(name: string, stream: boolean, expected: Expected, play: Kind['play']): Kind {
  return { name, stream, expected, play };
}

/** The table of faults. */
export const KINDS: readonly Kind[] = [
  kind('in order', false, 'whole', (socket, marker) => writeJson(socket, completion(marker))),
  kind('a stream in order', true, 'whole', async (socket, marker) => {
    await writeStream(socket, events(marker));
    socket.write(LAST_CHUNK);
  }),
  kind('reset before the head', false, 'refused', (socket) => void socket.resetAndDestroy()),
  kind('closed before the head', true, 'refused', (socket) => void socket.end()),
  kind('reset after the head', true, 'cut', async (socket) => {
    socket.write(STREAM_HEAD);
    await Bun.sleep(300);
    socket.resetAndDestroy();
  }),
  kind('reset inside of a document', false, 'refused', async (socket, marker) => {
    socket.write(jsonHead(completion(marker).length) + half(completion(marker)));
    await Bun.sleep(5);
    socket.resetAndDestroy();
  }),
  kind('reset inside of a stream', true, 'cut', async (socket, marker) => {
    await writeStream(socket, events(marker).slice(0, 3));
    socket.resetAndDestroy();
  }),
  kind('closed inside of a stream', true, 'cut', async (socket, marker) => {
    await writeStream(socket, events(marker).slice(0, 3));
    socket.end();
  }),
  kind('garbage', false, 'refused', (socket) => void socket.end('SSH-2.0-OpenSSH_9.2\r\n\r\n')),
  kind(
    'a status that is none',
    false,
    'refused',
    (socket, marker) => void socket.end(`HTTP/1.1 999 What\r\ncontent-length: 2${END}${marker.slice(0, 2)}`),
  ),
  kind(
    'a length that is too large',
    false,
    'refused',
    (socket, marker) => void socket.end(jsonHead(completion(marker).length + 50) + completion(marker)),
  ),
  kind('a length that is too small', false, 'anything', (socket, marker) => {
    const body = completion(marker);
    socket.write(`${jsonHead(body.length)}${body}HTTP/1.1 200 OK\r\ncontent-length: 6${END}poison`);
  }),
  kind('two lengths', false, 'anything', (socket, marker) => {
    const body = completion(marker);
    socket.end(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\ncontent-length: ${body.length + 10}${END}${body}`,
    );
  }),
  kind('a length and chunks', false, 'anything', (socket, marker) => {
    const body = completion(marker);
    socket.end(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 3\r\ntransfer-encoding: chunked${END}${chunk(body).toString()}${LAST_CHUNK}`,
    );
  }),
  kind('bad gzip', false, 'anything', (socket) => writeJson(socket, Buffer.from('this is not gzip at all'), 'content-encoding: gzip\r\n')),
  kind('gzip that is cut', false, 'refused', (socket, marker) => {
    const packed = gzipSync(completion(marker));
    socket.end(Buffer.concat([Buffer.from(jsonHead(packed.length, 'content-encoding: gzip\r\n')), packed.subarray(0, packed.length >> 1)]));
  }),
  kind('a gzip bomb', false, 'anything', (socket) =>
    writeJson(socket, gzipSync(Buffer.alloc(100 * 1024 * 1024)), 'content-encoding: gzip\r\n'),
  ),
  kind('a redirect to a metadata address', false, 'refused', (socket, _marker, trapUrl) => {
    // A planted defect would follow it: then only this machine is asked.
    const target = Bun.env['TORTURE_TRAP_ONLY'] === '1' ? trapUrl : 'http://169.254.169.254/latest/meta-data/';
    socket.write(`HTTP/1.1 302 Found\r\nlocation: ${target}\r\ncontent-length: 0${END}`);
  }),
  kind(
    'a redirect that keeps the method',
    true,
    'refused',
    (socket, _marker, trapUrl) => void socket.write(`HTTP/1.1 307 Temporary Redirect\r\nlocation: ${trapUrl}\r\ncontent-length: 0${END}`),
  ),
  kind('endless headers', false, 'refused', (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    return flood(socket, 'x-more: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n');
  }),
  kind(
    'a header of a megabyte',
    false,
    'anything',
    (socket, marker) =>
      void socket.end(`HTTP/1.1 200 OK\r\nx-large: ${'a'.repeat(1_000_000)}\r\ncontent-length: 2${END}${marker.slice(0, 2)}`),
  ),
  kind('an informational head first', true, 'whole', async (socket, marker) => {
    socket.write(`HTTP/1.1 100 Continue${END}HTTP/1.1 103 Early Hints\r\nlink: </x>; rel=preload${END}`);
    await writeStream(socket, events(marker));
    socket.write(LAST_CHUNK);
  }),
  kind('endless informational heads', false, 'refused', async (socket) => {
    for (let sent = 0; sent < 300 && !socket.destroyed; sent++) {
      socket.write(`HTTP/1.1 103 Early Hints\r\nlink: </x>; rel=preload${END}`);
      await Bun.sleep(10);
    }
    socket.destroy();
  }),
  kind(
    'switching protocols',
    false,
    'refused',
    (socket) => void socket.end(`HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade${END}`),
  ),
  kind('a chunk that is cut', true, 'cut', async (socket, marker) => {
    await writeStream(socket, events(marker).slice(0, 2));
    socket.end('ff\r\ndata: {"id"');
  }),
  kind('a chunk size that is none', true, 'cut', async (socket, marker) => {
    await writeStream(socket, events(marker).slice(0, 2));
    socket.end('zz\r\nwhat\r\n0\r\n\r\n');
  }),
  kind('200 with an error inside', false, 'whole', (socket, marker) =>
    writeJson(socket, JSON.stringify({ error: { message: `no ${marker}`, type: 'server_error', code: 500 } })),
  ),
  kind('200 with an error inside of the stream', true, 'whole', async (socket, marker) => {
    await writeStream(socket, [...events(marker).slice(0, 3), `data: {"error":{"message":"overloaded ${marker}","code":529}}\n\n`]);
    socket.write(LAST_CHUNK);
  }),
  kind('silence', false, 'refused', () => undefined),
  kind('silence inside of a document', false, 'refused', (socket, marker) => void socket.write(jsonHead(500) + half(completion(marker)))),
  kind('silence inside of a stream', true, 'cut', async (socket, marker) => await writeStream(socket, events(marker).slice(0, 2))),
  {
    ...kind(
      '500 in HTML',
      false,
      'anything',
      (socket) => void socket.end(`HTTP/1.1 500 Oops\r\ncontent-type: text/html\r\ncontent-length: 15${END}<html>no</html>`),
    ),
    sendsHtml: true,
  },
  kind('one byte at a time', false, 'whole', async (socket, marker) => {
    const bytes = Buffer.from(jsonHead(completion(marker).length) + completion(marker));
    for (const byte of bytes) {
      socket.write(Buffer.from([byte]));
      if (byte === 0x2c) await Bun.sleep(1);
    }
  }),
];
