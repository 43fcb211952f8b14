import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, temporaryDirectory } from '../../support/binary.ts';
import { freePort, spawned } from '../kit/process.ts';

/** An nginx in front of the server. */
export interface Nginx {
  /** One port for each lane: each keeps one connection to the server alive, which all its clients share. */
  readonly lanes: readonly number[];
  /** Ports that let no operator route through: one lets only the routes of applications pass, one stops those of operators. */
  readonly fences: readonly number[];
  end(): void;
}

const LETS_V1_PASS = `location /v1/ { PROXY } location / { return 404; }`;
const STOPS_ADMIN = `location /admin/ { return 403; } location / { PROXY }`;

/** Starts it as the README sets it up, but that it keeps its connections to the server alive. */
export async function startNginx(upstreamPort: number, laneCount: number): Promise<Nginx> {
  const home = temporaryDirectory();
  const ports: number[] = [];
  for (let index = 0; index < laneCount + 2; index++) ports.push(await freePort());
  const [onlyV1, noAdmin, ...lanes] = ports as [number, number, ...number[]];
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${home}/${name};`).join(' ');
  const servers = [
    server(onlyV1, upstreamPort, LETS_V1_PASS),
    server(noAdmin, upstreamPort, STOPS_ADMIN),
    ...lanes.map((port) => server(port, upstreamPort, 'location / { PROXY }')),
  ];
  writeFileSync(
    join(home, 'nginx.conf'),
    `daemon off; master_process off; pid ${home}/pid; error_log ${home}/errors; events { worker_connections 512; }
http { access_log off; ${temporary} ${servers.join('\n')} }\n`,
  );
  const child = spawned(['nginx', '-p', home, '-c', join(home, 'nginx.conf')]);
  await eventually('nginx listens', async () => {
    const answer = await fetch(`http://127.0.0.1:${lanes[0]!}/healthz`).catch(() => null);
    return answer?.ok === true;
  });
  return { lanes, fences: [onlyV1, noAdmin], end: () => child.end() };
}

function server(port: number, upstreamPort: number, locations: string): string {
  const proxy = `proxy_pass http://panicly${port}; proxy_http_version 1.1; proxy_set_header Host $host;
    proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_buffering off; proxy_read_timeout 900s; client_max_body_size 33m;`;
  return `upstream panicly${port} { server 127.0.0.1:${upstreamPort}; keepalive 1; }
server { listen 127.0.0.1:${port}; ${locations.replace('PROXY', () => proxy)} }`;
}
