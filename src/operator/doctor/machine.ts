import { existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import type ipaddr from 'ipaddr.js';
import { fail, warn, well, type Finding } from './finding.ts';

const MB = 1024 * 1024;
/** Below this the ledger can stop any moment; below the other it is time to look. */
const LEAST_FREE_BYTES = 200 * MB;
const LITTLE_FREE_BYTES = 2_048 * MB;
/** The writer keeps the log small; what is larger is held open by a reader that does not end. */
const LARGE_WAL_BYTES = 256 * MB;
/** Each open stream needs two, one to the client and one to the provider. */
const FEW_FILES = 8_192;
const LIMITS_FILE = '/proc/self/limits';

/** How much room the data directory's disk has. */
export function diskSpace(dataDir: string): Finding {
  const { bavail, bsize } = statfsSync(dataDir);
  const freeBytes = bavail * bsize;
  const found = `${Math.floor(freeBytes / MB)} MB are free`;
  if (freeBytes < LEAST_FREE_BYTES)
    return fail('disk', found, 'make room: without it no decision can be recorded, and no request is served');
  return freeBytes < LITTLE_FREE_BYTES
    ? warn('disk', found, 'make room soon, or move the data directory to a larger disk')
    : well('disk', found);
}

/** How large the write-ahead log beside the ledger is. */
export function walSize(ledgerPath: string): Finding {
  const path = `${ledgerPath}-wal`;
  const bytes = existsSync(path) ? statSync(path).size : 0;
  const found = `${Math.ceil(bytes / MB)} MB`;
  if (bytes < LARGE_WAL_BYTES) return well('write-ahead log', found);
  return warn('write-ahead log', found, 'end programs that read the ledger for long, such as an open sqlite3; then restart');
}

/** How many files this process may have open. Null where the system does not say. */
export function openFiles(): Finding | null {
  if (!existsSync(LIMITS_FILE)) return null;
  const limit = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync(LIMITS_FILE, 'utf8'))?.[1];
  if (limit === undefined) return null;
  const found = `${limit} are allowed`;
  if (limit === 'unlimited' || Number(limit) >= FEW_FILES) return well('open files', found);
  return warn(
    'open files',
    `${found}, which are about ${Math.floor(Number(limit) / 2)} streams at once`,
    'set LimitNOFILE=65536 in the unit, or "ulimit -n 65536" before the start',
  );
}

/** Whether too many machines are believed when they say who the client is. */
export function trustedProxies(networks: readonly (readonly [ipaddr.IPv4 | ipaddr.IPv6, number])[]): Finding {
  if (networks.length === 0) return well('trusted proxies', 'none');
  const wide = networks.filter(([address, bits]) => bits < (address.kind() === 'ipv4' ? 8 : 16));
  const names = (list: typeof networks) => list.map(([address, bits]) => `${address.toString()}/${bits}`).join(', ');
  if (wide.length === 0) return well('trusted proxies', names(networks));
  return fail(
    'trusted proxies',
    `${names(wide)} lets anybody choose the address that network and region rules see`,
    'name only your proxies in server.trusted_proxies',
  );
}
