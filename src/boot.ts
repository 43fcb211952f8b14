/**
 * The first import of the program: settings of the process that other modules read while they load.
 * Elysia reads NODE_ENV at load; Bun reads its cap on concurrent fetches (256) once at process start,
 * so raising it takes a fresh start of the same process.
 */
const MAX_UPSTREAM_REQUESTS = '16384';

Bun.env.NODE_ENV ??= 'production';

if (!Bun.env.BUN_CONFIG_MAX_HTTP_REQUESTS && Bun.isStandaloneExecutable && needsManyFetches(process.argv[2])) {
  const environment = { ...process.env, BUN_CONFIG_MAX_HTTP_REQUESTS: MAX_UPSTREAM_REQUESTS } as Record<string, string>;
  process.execve?.(process.execPath, [process.execPath, ...process.argv.slice(2)], environment);
}

function needsManyFetches(command: string | undefined): boolean {
  return command === 'serve' && process.platform === 'linux';
}

process.umask(0o077);
