import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { cpuMicroseconds } from '../support/cpu.ts';

const peers = join(import.meta.dir, 'peers');
const children: Bun.Subprocess[] = [];

/** A process that listens. */
export interface Listening {
  readonly pid: number;
  readonly port: number;
}

/** Starts one of the peers and resolves once it has printed its port. */
export async function startPeer(name: string, ...args: readonly string[]): Promise<Listening> {
  const child = started([process.execPath, join(peers, name), ...args]);
  for await (const chunk of child.stdout) return { pid: child.pid, port: Number(Buffer.from(chunk).toString()) };
  throw new Error(`${name} did not start`);
}

/** Starts any server that is told its port, and resolves once it takes connections. Rejects when it ends or needs more than 15 seconds. */
export async function startServer(command: readonly string[], port: number): Promise<Listening> {
  const child = started(command);
  for (let attempt = 0; attempt < 150; attempt++) {
    if (child.exitCode !== null) break;
    if (await takesConnections(port)) return { pid: child.pid, port };
    await Bun.sleep(100);
  }
  throw new Error(`${command[0]} does not listen`);
}

/** A port of the loopback that nobody uses right now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Runs one of the peers to its end with one argument of JSON, and resolves to the JSON that it printed. */
export async function runPeer<Answer>(name: string, argument: object): Promise<Answer> {
  const child = started([process.execPath, join(peers, name), JSON.stringify(argument)]);
  const printed = await new Response(child.stdout).text();
  if ((await child.exited) !== 0) throw new Error(`${name} was not finished`);
  return JSON.parse(printed) as Answer;
}

/** CPU of a process and of all its descendants so far, user and system, in microseconds. */
export function treeCpuMicroseconds(pid: number): number {
  let sum = cpuMicroseconds(pid);
  for (const child of childrenOf(pid)) sum += treeCpuMicroseconds(child);
  return sum;
}

/** Memory in kilobytes of a process and all its descendants: what it has now, and the most that it ever had. */
export function treeMemory(pid: number): { readonly nowKb: number; readonly peakKb: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  let [nowKb, peakKb] = [field('VmRSS'), field('VmHWM')];
  for (const child of childrenOf(pid)) {
    const inner = treeMemory(child);
    nowKb += inner.nowKb;
    peakKb += inner.peakKb;
  }
  return { nowKb, peakKb };
}

/** Ends every process that was started here. */
export function endProcesses(): void {
  for (const child of children) child.kill('SIGTERM');
}

function started(command: readonly string[]): Bun.Subprocess<'ignore', 'pipe', 'inherit'> {
  // Bun's own cap on fetches at the same time would make streams of the peers wait for each other.
  const env = { PATH: Bun.env['PATH'] ?? '', NODE_ENV: 'production', BUN_CONFIG_MAX_HTTP_REQUESTS: '16384' };
  const child = Bun.spawn([...command], { env, stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' });
  children.push(child);
  return child;
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) => {
    const listed = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim();
    return listed === '' ? [] : listed.split(' ').map(Number);
  });
}

async function takesConnections(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: '127.0.0.1', port, socket: { data() {} } });
    socket.end();
    return true;
  } catch {
    return false;
  }
}
