import type { AnyElysia } from 'elysia';
import type { Config } from './config.ts';
import { ConfigProblem } from './config.ts';
import type { Gateway } from './gateway/gateway.ts';
import { createApp, type AppParts } from './http/app.ts';

/** A listening server. */
export interface RunningServer {
  readonly url: string;
  /** Refuses new requests with 503, lets open ones finish up to the deadline, then cuts the rest. */
  stop(): Promise<void>;
}

/** Listens. Throws `ConfigProblem` when the address cannot be used. */
export function listen(config: Config, gateway: Gateway, parts: AppParts): RunningServer {
  const app = createApp(parts, { maxRequestBodyBytes: config.bodyBytes * SERVER_BODY_FACTOR });
  try {
    app.listen({ hostname: config.host, port: config.port, reusePort: false });
  } catch (error) {
    throw new ConfigProblem(listenProblem(config, error), { cause: error });
  }
  const server = app.server!;
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  return { url: `http://${host}:${server.port}`, stop: () => stop(app, config, gateway) };
}

/** Throws `ConfigProblem` when the address cannot be listened on right now. */
export function checkAddress(config: Config): void {
  try {
    Bun.listen({ hostname: config.host, port: config.port, socket: { data() {} } }).stop(true);
  } catch (error) {
    throw new ConfigProblem(listenProblem(config, error), { cause: error });
  }
}

function listenProblem(config: Config, error: unknown): string {
  const code = (error as { readonly code?: unknown }).code;
  if (code === 'EADDRINUSE') return `port ${config.port} on ${config.host} is in use: stop what uses it, or choose another with --port`;
  if (code === 'EACCES') return `port ${config.port} may not be used by this user: choose one above 1023 with --port`;
  return `cannot listen on ${config.host}:${config.port} (${String(code ?? error)})`;
}

async function stop(app: AnyElysia, config: Config, gateway: Gateway): Promise<void> {
  gateway.stopping = true;
  const deadline = setTimeout(() => gateway.inFlight.cut('cut_shutdown', () => true), config.shutdownMs);
  await gateway.inFlight.idle();
  clearTimeout(deadline);
  // Answers that were just finished or cut are still on their way out; idle connections are closed.
  const forced = setTimeout(() => void app.server?.stop(true), LAST_BYTES_MS);
  await app.server?.stop();
  clearTimeout(forced);
}

const LAST_BYTES_MS = 1_000;

/** The path counts bodies itself and refuses in our words; past this many times the limit of the start the server cuts without any. */
export const SERVER_BODY_FACTOR = 8;
