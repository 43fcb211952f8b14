import { SIMULATOR_BASE_URL } from '../../../src/upstream/providers.ts';
import { simulatorUpstream, type SimulatorOptions } from '../../../src/upstream/simulator/simulator.ts';
import type { UpstreamAnswer, UpstreamFailure, UpstreamRequest } from '../../../src/upstream/upstream.ts';

/** A delay that takes no time but notes how long it would have been, and obeys abort. */
export class InstantDelay {
  readonly waits: number[] = [];
  readonly wait = async (ms: number, signal: AbortSignal): Promise<void> => {
    this.waits.push(ms);
    await Promise.resolve();
    signal.throwIfAborted();
  };
}

/** A delay that only an abort ends. */
export function endlessDelay(_ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }));
}

/** A simulator without waiting, in the year 2026. */
export function instantSimulator(options: Partial<SimulatorOptions> = {}) {
  return simulatorUpstream({ nowMs: () => 1_767_225_600_000, delay: new InstantDelay().wait, ...options });
}

/** A request to the simulator. */
export function ask(route: string, body: unknown, changes: Partial<UpstreamRequest> = {}): UpstreamRequest {
  const bytes = body === null ? null : new TextEncoder().encode(JSON.stringify(body));
  return {
    url: `${SIMULATOR_BASE_URL}${route}`,
    method: 'POST',
    headers: {},
    body: bytes,
    signal: null,
    firstByteMs: 600_000,
    idleMs: 300_000,
    ...changes,
  };
}

/** The answer, or an error when there is none. */
export function answered(result: UpstreamAnswer | UpstreamFailure): UpstreamAnswer {
  if (result.kind !== 'answer') throw new Error(`no answer: ${result.kind}`);
  return result;
}

/** What a promise rejects with, or null when it does not. */
export function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => null,
    (error: unknown) => error,
  );
}

/** Everything that an answer holds. */
export async function textOf(result: UpstreamAnswer | UpstreamFailure): Promise<string> {
  const answer = answered(result);
  const parts: Uint8Array[] = [];
  for (let chunk = await answer.read(); chunk !== null; chunk = await answer.read()) parts.push(chunk);
  return Buffer.concat(parts).toString('utf8');
}

/** The simulator behind a real socket, for real clients. */
export function serveSimulator(options: Partial<SimulatorOptions> = {}) {
  const simulator = instantSimulator(options);
  return Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const body = new Uint8Array(await request.arrayBuffer());
      const url = SIMULATOR_BASE_URL + new URL(request.url).pathname.replace(/^\/v1/, '');
      const method = request.method === 'GET' ? 'GET' : 'POST';
      const answer = answered(await simulator.send({ ...ask('', null), url, method, body, signal: request.signal }));
      const stream = new ReadableStream<Uint8Array>({
        async pull(controller) {
          try {
            const chunk = await answer.read();
            if (chunk === null) controller.close();
            else controller.enqueue(chunk);
          } catch (error) {
            controller.error(error);
          }
        },
        cancel: () => answer.abort(),
      });
      return new Response(stream, { status: answer.status, headers: answer.headers });
    },
  });
}
