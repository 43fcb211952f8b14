import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DecisionJson } from '../../src/http/schemas/operator.ts';
import type { MockProvider } from './mock-provider.ts';

/** The built program: `make build` makes it. PANICLY_BINARY names another one. */
export const BINARY = process.env['PANICLY_BINARY'] ?? join(import.meta.dir, '..', '..', 'dist', 'panicly');

/** How a command ended, and what it wrote. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Surroundings of a process. The environment holds nothing of this process but the PATH. */
export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string;
}

const directories = new Set<string>();
const running = new Set<Bun.Subprocess>();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

/** An empty directory that is gone when this process ends. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'panicly-e2e-'));
  directories.add(directory);
  return directory;
}

/** Runs any command to its end; `timeoutMs` later it is killed. */
export async function run(command: readonly string[], surroundings: Surroundings = {}, timeoutMs = 20_000): Promise<Finished> {
  const child = Bun.spawn([...command], {
    cwd: surroundings.cwd ?? temporaryDirectory(),
    env: environment(surroundings.env),
    stdin: surroundings.stdin === undefined ? 'ignore' : Buffer.from(surroundings.stdin),
    stdout: 'pipe',
    stderr: 'pipe',
  });
  running.add(child);
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  const [stdout, stderr, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  clearTimeout(timer);
  running.delete(child);
  return { code, stdout, stderr };
}

/** Runs one command of the built program to its end. */
export function runPanicly(args: readonly string[], surroundings: Surroundings = {}): Promise<Finished> {
  return run([mustBeBuilt(), ...args], surroundings);
}

/** How a server is started. */
export interface StartOptions {
  /** A temporary one when absent. */
  readonly dataDir?: string;
  /** The text of a panicly.toml. */
  readonly config?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Starts the built program on a free port of the loopback, with plain http to providers allowed. */
export async function startPanicly(options: StartOptions = {}): Promise<Panicly> {
  const server = new Panicly(options);
  await server.start();
  return server;
}

/** A running server, over restarts. Its data directory stays the same, its port does not. */
export class Panicly {
  readonly dataDir: string;
  url = '';
  /** What the first start printed; empty when the data directory was not empty. */
  liveKey = '';
  testKey = '';
  operatorToken = '';
  readonly #options: StartOptions;
  #child: Bun.Subprocess<'ignore', 'pipe', 'pipe'> | null = null;
  #stdout = '';
  #stderr = '';
  #drained: Promise<unknown> = Promise.resolve();

  constructor(options: StartOptions) {
    this.#options = options;
    this.dataDir = options.dataDir ?? join(temporaryDirectory(), 'data');
  }

  get pid(): number {
    return this.#mustRun().pid;
  }

  /** What the process that runs now, or ran last, wrote to its standard output. */
  stdout(): string {
    return this.#stdout;
  }

  stderr(): string {
    return this.#stderr;
  }

  /** Starts, and resolves once it listens. */
  async start(): Promise<void> {
    const { config, env, cwd } = this.#options;
    const child = Bun.spawn([mustBeBuilt(), 'serve', '--port', '0', '--data', this.dataDir, ...configFlag(config)], {
      cwd: cwd ?? temporaryDirectory(),
      env: environment({ PANICLY_ALLOW_HTTP_UPSTREAM: '1', ...env }),
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    });
    running.add(child);
    this.#child = child;
    this.#stdout = '';
    this.#stderr = '';
    const listening = Promise.withResolvers<void>();
    const out = collect(child.stdout, (text) => {
      this.#stdout += text;
      if (isWhole(this.#stdout)) listening.resolve();
    });
    const err = collect(child.stderr, (text) => (this.#stderr += text));
    this.#drained = Promise.all([out, err]);
    void this.#drained.then(() => listening.reject(new Error(`the server ended before it listened: ${this.#stderr}`)));
    await listening.promise;
    this.#readGreeting();
  }

  /** SIGTERM; resolves to the exit code. */
  async stop(): Promise<number> {
    return await this.#end('SIGTERM');
  }

  /** SIGKILL. */
  async kill(): Promise<number> {
    return await this.#end('SIGKILL');
  }

  /** Stops gracefully, unless it was ended before, and starts on the same data directory. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Sends a signal without waiting. */
  signal(name: 'SIGTERM' | 'SIGKILL'): void {
    this.#mustRun().kill(name);
  }

  /** Resolves to the exit code once the process has ended and all that it wrote was read. */
  async exited(): Promise<number> {
    if (this.#child === null) return 0;
    const child = this.#child;
    const code = await child.exited;
    await this.#drained;
    running.delete(child);
    if (this.#child === child) this.#child = null;
    return code;
  }

  /** A request to the operator API; the answer may have any status. */
  async operator(path: string, init: { readonly method?: string; readonly body?: unknown } = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${this.operatorToken}`, 'content-type': 'application/json' };
    const body = init.body === undefined ? null : JSON.stringify(init.body);
    return await fetch(`${this.url}/admin/v1${path}`, { method: init.method ?? 'GET', headers, body });
  }

  /** The JSON of a request to the operator API. Throws when it was refused. */
  async ask<Answer>(path: string, init: { readonly method?: string; readonly body?: unknown } = {}): Promise<Answer> {
    const response = await this.operator(path, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${path}: ${response.status} ${text}`);
    return (text === '' ? null : JSON.parse(text)) as Answer;
  }

  /** A JSON request to a route for applications. */
  async post(path: string, key: string, body: unknown, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    return await fetch(`${this.url}${path}`, { ...init, method: 'POST', headers, body: JSON.stringify(body) });
  }

  /** The id of the project that the first start made. */
  async projectId(): Promise<string> {
    const { data } = await this.ask<{ data: { id: string }[] }>('/projects');
    return data[0]!.id;
  }

  /** Makes a mock provider a connection of the first project, called `mock` and taking every model. */
  async connect(mock: Pick<MockProvider, 'baseUrl'>, change: Readonly<Record<string, unknown>> = {}): Promise<{ id: string }> {
    const body = { name: 'mock', kind: 'custom', base_url: mock.baseUrl, api_key: 'sk-mock-key', models: ['*'], ...change };
    return await this.ask(`/projects/${await this.projectId()}/providers`, { method: 'POST', body });
  }

  /** Stores a policy for the first project. */
  async policy(document: object): Promise<void> {
    await this.ask(`/projects/${await this.projectId()}/policy`, { method: 'PUT', body: document });
  }

  /** Makes a key in the first project. */
  async makeKey(body: Readonly<Record<string, unknown>> = {}): Promise<{ id: string; key: string }> {
    return await this.ask(`/projects/${await this.projectId()}/keys`, { method: 'POST', body: { name: 'made', ...body } });
  }

  async decision(id: string): Promise<DecisionJson> {
    return await this.ask(`/decisions/${id}`);
  }

  /** A decision once it is settled: settlements reach the ledger a little after the answer. */
  async settled(id: string): Promise<DecisionJson & { readonly settlement: NonNullable<DecisionJson['settlement']> }> {
    return await eventually(`decision ${id} is settled`, async () => {
      const { settlement, ...decision } = await this.decision(id);
      return settlement === null ? null : { ...decision, settlement };
    });
  }

  /** Decisions, newest first. */
  async decisions(query = ''): Promise<DecisionJson[]> {
    return (await this.ask<{ data: DecisionJson[] }>(`/decisions?limit=1000${query}`)).data;
  }

  /** The value of a metric without labels. */
  async metric(name: string): Promise<number> {
    const headers = { authorization: `Bearer ${this.operatorToken}` };
    const text = await (await fetch(`${this.url}/metrics`, { headers })).text();
    const line = text.split('\n').find((one) => one.startsWith(`${name} `));
    if (line === undefined) throw new Error(`there is no metric ${name}`);
    return Number(line.split(' ')[1]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number> {
    this.#child?.kill(signal);
    return await this.exited();
  }

  #mustRun(): Bun.Subprocess<'ignore', 'pipe', 'pipe'> {
    if (this.#child === null) throw new Error('the server does not run');
    return this.#child;
  }

  #readGreeting(): void {
    const found = (pattern: RegExp) => pattern.exec(this.#stdout)?.[1];
    this.url = found(/^Panicly listens on (\S+)$/m)!;
    this.liveKey = found(/(pk_live_\w+)/) ?? this.liveKey;
    this.testKey = found(/(pk_test_\w+)/) ?? this.testKey;
    const tokenFile = join(this.dataDir, 'operator.token');
    if (existsSync(tokenFile)) this.operatorToken = readFileSync(tokenFile, 'utf8').trim();
  }
}

/** Every control off and no budget: money is not limited, so nothing is refused and no cap is put in. */
export { NOTHING as OPEN_POLICY } from './policies.ts';

/** Asks until there is an answer that is neither null nor false. Throws after ten seconds. */
export async function eventually<Value>(what: string, ask: () => Promise<Value | null | false>): Promise<Value> {
  for (let attempt = 0; attempt < 400; attempt++) {
    const value = await ask();
    if (value !== null && value !== false) return value;
    await Bun.sleep(25);
  }
  throw new Error(`it never came to pass: ${what}`);
}

/** A directory in which nobody but its owner may write, whoever runs the tests: it lies below a file. */
export function unusableDirectory(): string {
  const file = join(temporaryDirectory(), 'file');
  writeFileSync(file, '');
  chmodSync(file, 0o400);
  return join(file, 'data');
}

function mustBeBuilt(): string {
  if (!existsSync(BINARY)) throw new Error('dist/panicly is not there: run make build');
  return BINARY;
}

function environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', ...more };
}

function configFlag(config: string | undefined): string[] {
  if (config === undefined) return [];
  const path = join(temporaryDirectory(), 'panicly.toml');
  writeFileSync(path, config);
  return ['--config', path];
}

/** The greeting comes in one write; the first one ends with the curl line. */
function isWhole(text: string): boolean {
  return text.endsWith('\n') && /^ {2}data /m.test(text) && (!text.includes('This is the first start') || text.includes('\ncurl '));
}

async function collect(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) take(decoder.decode(chunk, { stream: true }));
}
