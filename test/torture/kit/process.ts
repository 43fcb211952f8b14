import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { readdirSync, readFileSync } from 'node:fs';

/** Memory of a process that is in RAM, in bytes. Linux only. */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}

/** Descriptors that a process holds open. Linux only. */
export function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

const helpers = new Set<Bun.Subprocess>();
process.on('exit', () => {
  for (const child of helpers) child.kill('SIGKILL');
});

/** A script of ours in a process of its own, which prints a port first. */
export interface Helper {
  readonly port: number;
  readonly pid: number;
  end(): void;
}

/** Starts one and waits for its port. */
export async function helper(script: string, words: readonly string[]): Promise<Helper> {
  const child = Bun.spawn([process.execPath, script, ...words], { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' });
  helpers.add(child);
  const reader = child.stdout.getReader() as { read(): Promise<{ readonly value?: Uint8Array }> };
  const port = Number(new TextDecoder().decode((await reader.read()).value).trim());
  const end = (): void => {
    child.kill('SIGKILL');
    helpers.delete(child);
  };
  return { port, pid: child.pid, end };
}

/** Starts any program, quietly. */
export function spawned(command: readonly string[]): Omit<Helper, 'port'> {
  const child = Bun.spawn([...command], { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' });
  helpers.add(child);
  const end = (): void => {
    child.kill('SIGKILL');
    helpers.delete(child);
  };
  return { pid: child.pid, end };
}

/** A port of the loopback on which nobody listens right now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
