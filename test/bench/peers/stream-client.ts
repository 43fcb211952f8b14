/**
 * Many streams at the same time, begun one after the other, a process of its own. Its argument is JSON `{port, headers, streams}`.
 * Prints `{streams, failed, firstFailure, events, seconds, firstByteMs}`: the end of the first stream that was not whole, the events that
 * arrived, and the median wait for the first one.
 */
import { percentile } from '../../support/percentile.ts';
import { requestOf } from './bodies.ts';

/** Between two streams that begin: a first byte should not be late because of all the others. */
const STAGGER_MS = 3;

const { port, headers, streams } = JSON.parse(Bun.argv[2]!) as { port: number; headers: Record<string, string>; streams: number };
const { bytes, numberAt } = requestOf('stream', '/v1/chat/completions', port, { ...headers, connection: 'close' });
const base = Date.now() % 1e9;

interface Stream {
  sentMs: number;
  sawFirst: boolean;
  hasEnded: boolean;
  /** The end of what has come. */
  tail: string;
}

const firstMs: number[] = [];
let ended = 0;
let failed = 0;
let firstFailure = '';
let events = 0;
const finished = Promise.withResolvers<void>();
const startedMs = performance.now();

function end(socket: Bun.Socket<Stream>, whole: boolean): void {
  const { data } = socket;
  if (data.hasEnded) return;
  data.hasEnded = true;
  if (!whole) {
    failed++;
    firstFailure ||= data.tail;
  }
  socket.end();
  if (++ended === streams) finished.resolve();
}

const openings = Array.from({ length: streams }, async (_, index) => {
  await Bun.sleep(index * STAGGER_MS);
  const request = Buffer.from(bytes);
  request.write(String(base + index).padStart(10, '0'), numberAt, 'latin1');
  await Bun.connect<Stream>({
    hostname: '127.0.0.1',
    port,
    data: { sentMs: 0, sawFirst: false, hasEnded: false, tail: '' },
    socket: {
      open(socket) {
        socket.data.sentMs = performance.now();
        socket.write(request);
      },
      data(socket, chunk) {
        const { data } = socket;
        const text = chunk.toString('latin1');
        for (let at = text.indexOf('data: '); at >= 0; at = text.indexOf('data: ', at + 6)) events++;
        if (!data.sawFirst && events > 0 && text.includes('data: ')) {
          data.sawFirst = true;
          firstMs.push(performance.now() - data.sentMs);
        }
        data.tail = (data.tail + text).slice(-400);
        if (data.tail.includes('[DONE]')) end(socket, true);
      },
      close(socket) {
        end(socket, false);
      },
    },
  });
});
await Promise.all(openings);
await finished.promise;
const seconds = (performance.now() - startedMs) / 1000;
console.log(JSON.stringify({ streams, failed, firstFailure, events, seconds, firstByteMs: percentile(firstMs, 0.5) }));
process.exit(0);
