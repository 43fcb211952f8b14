import { join } from 'node:path';

const peers = join(import.meta.dir, 'peers');
const children: Bun.Subprocess[] = [];

/** A process that listens. */
export interface Listening {
  readonly pid: number;
  readonly port: number;
}

/** Starts one of the peers and resolves once it has printed its port. */
export async function startPeer(name: string, ...args: readonly string[]): Promise<Listening> {
  const child = Bun.spawn([process.execPath, join(peers, name), ...args], {
    env: { PATH: Bun.env['PATH'] ?? '', NODE_ENV: 'production' },
    stdout: 'pipe',
    stderr: 'inherit',
  });
  children.push(child);
  for await (const chunk of child.stdout) return { pid: child.pid, port: Number(Buffer.from(chunk).toString()) };
  throw new Error(`${name} did not start`);
}

/** What a load came to. */
export interface Load {
  readonly requests: number;
  readonly failed: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Sends `requests` small chat requests over `connections` connections, from a process of its own. */
export async function sendLoad(port: number, key: string, connections: number, requests: number): Promise<Load> {
  const child = Bun.spawn([process.execPath, join(peers, 'client.ts'), String(port), key, String(connections), String(requests)], {
    env: { PATH: Bun.env['PATH'] ?? '' },
    stdout: 'pipe',
    stderr: 'inherit',
  });
  children.push(child);
  const printed = await new Response(child.stdout).text();
  if ((await child.exited) !== 0) throw new Error('the load was not finished');
  return JSON.parse(printed) as Load;
}

/** Ends every process that was started here. */
export function endProcesses(): void {
  for (const child of children) child.kill('SIGKILL');
}
