/** The servers of others that we are compared with: nginx as it is installed, Portkey's gateway from npm. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { temporaryDirectory } from '../support/binary.ts';
import type { Contender } from './contenders.ts';
import { freePort, startServer, type Listening } from './processes.ts';
import { figure, type Row } from './table.ts';

const PORTKEY = '@portkey-ai/gateway';
const PORTKEY_VERSION = '1.15.2';
/** Installing may take this long, milliseconds. */
const INSTALL_MS = 120_000;

/** Those that could be started, and a row for each that could not. */
export interface Others {
  readonly contenders: readonly Contender[];
  readonly rows: readonly Row[];
}

/** Starts nginx and Portkey, on Bun and on Node, in front of the provider. */
export async function startOthers(upstream: Listening): Promise<Others> {
  const contenders: Contender[] = [];
  const rows: Row[] = [];
  const starts: readonly (readonly [string, () => Promise<Contender>])[] = [
    ['nginx', () => nginx(upstream)],
    ['Portkey on Bun', () => portkey('Portkey on Bun', process.execPath, upstream)],
    ['Portkey on Node', () => portkey('Portkey on Node', 'node', upstream)],
  ];
  for (const [name, start] of starts) {
    try {
      contenders.push(await start());
    } catch (error) {
      rows.push(figure('small JSON chat', name, `not measured: ${error instanceof Error ? error.message : String(error)}`));
    }
  }
  return { contenders, rows };
}

async function nginx(upstream: Listening): Promise<Contender> {
  if (Bun.which('nginx') === null) throw new Error('nginx is not installed (apt-get install nginx-light)');
  const directory = temporaryDirectory();
  const port = await freePort();
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `  ${name}_temp_path ${directory}/${name};`);
  const configuration = [
    'worker_processes 1;',
    `pid ${directory}/nginx.pid;`,
    'error_log stderr error;',
    'daemon off;',
    'events { worker_connections 4096; }',
    'http {',
    '  access_log off;',
    ...paths,
    '  client_max_body_size 32m;',
    '  keepalive_requests 10000000;',
    `  upstream provider { server 127.0.0.1:${upstream.port}; keepalive 64; keepalive_requests 10000000; }`,
    `  server { listen 127.0.0.1:${port}; location / { proxy_pass http://provider; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; } }`,
    '}',
  ];
  writeFileSync(join(directory, 'nginx.conf'), configuration.join('\n'));
  const listening = await startServer(['nginx', '-p', directory, '-e', 'stderr', '-c', join(directory, 'nginx.conf')], port);
  return { name: 'nginx', headers: { authorization: 'Bearer none' }, ...listening };
}

async function portkey(name: string, runtime: string, upstream: Listening): Promise<Contender> {
  if (Bun.which(runtime) === null) throw new Error(`${runtime} is not installed`);
  const program = await installPortkey();
  const port = await freePort();
  const listening = await startServer([runtime, program, '--headless', `--port=${port}`], port);
  const headers = {
    authorization: 'Bearer sk-bench',
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `http://127.0.0.1:${upstream.port}/v1`,
  };
  return { name, headers, ...listening };
}

/** Puts Portkey into a cache folder of the benchmark, once: it is no dependency of ours. */
async function installPortkey(): Promise<string> {
  const folder = join(Bun.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'panicly-bench', `portkey-${PORTKEY_VERSION}`);
  const program = join(folder, 'node_modules', PORTKEY, 'build', 'start-server.js');
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  const command = ['npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', folder, `${PORTKEY}@${PORTKEY_VERSION}`];
  const child = Bun.spawn(command, { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore', timeout: INSTALL_MS });
  if ((await child.exited) !== 0 || !existsSync(program)) throw new Error('npm could not install it');
  return program;
}
