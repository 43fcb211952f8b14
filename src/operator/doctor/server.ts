import type ipaddr from 'ipaddr.js';
import type { Upstream } from '../../upstream/upstream.ts';
import { VERSION } from '../../version.ts';
import { alertsStanding } from '../alerts.ts';
import { restoredAtMs } from '../confirm-restore.ts';
import { isClockConfirmed } from '../ledger.ts';
import type { Office } from '../office.ts';
import { fail, warn, well, type Finding } from './finding.ts';
import { diskSpace, openFiles, trustedProxies, walSize } from './machine.ts';
import { expiringKeys, expiringOperators } from './people.ts';
import { priceListAge, unpricedModels } from './prices.ts';
import { providersReached } from './providers.ts';

/** What surrounds a running server, as far as it can be asked how it is. */
export interface Surroundings {
  readonly dataDir: string;
  readonly ledgerPath: string;
  readonly trustedProxies: readonly (readonly [ipaddr.IPv4 | ipaddr.IPv6, number])[];
  /** Null without a schedule of backups. */
  readonly backupEveryMs: number | null;
  /** Asks providers whether they are there. */
  readonly upstream: Upstream;
}

/** What a running server found out about itself. */
export interface Examination {
  readonly version: string;
  readonly atMs: number;
  readonly findings: readonly Finding[];
}

const DAY_MS = 86_400_000;
const OLD_BACKUP_MS = 8 * DAY_MS;

/** Looks at everything that only the running server can see. One at a time: it asks every provider. */
export function examine(office: Office): Promise<Examination> {
  return office.turns.take('doctor', async () => {
    const { surroundings } = office;
    const files = openFiles();
    const findings = [
      ledger(office),
      clock(office),
      ...restored(office),
      diskSpace(surroundings.dataDir),
      walSize(surroundings.ledgerPath),
      ...(files === null ? [] : [files]),
      trustedProxies(surroundings.trustedProxies),
      ...(await providersReached(office)),
      priceListAge(office),
      await unpricedModels(office),
      expiringKeys(office),
      expiringOperators(office),
      backups(office),
      await alerts(office),
    ];
    return { version: VERSION, atMs: office.engine.nowMs(), findings };
  });
}

function ledger({ engine }: Office): Finding {
  if (engine.available) return well('ledger', 'decisions are recorded');
  return fail('ledger', 'no decision can be recorded, so every request gets 503', 'look at the disk and at the log of the server');
}

function clock(office: Office): Finding {
  if (isClockConfirmed(office)) return well('clock', 'goes as the ledger does');
  return fail(
    'clock',
    'has jumped, and nothing is admitted until somebody says that it is right',
    'set the clock, then: panicly ledger confirm-clock',
  );
}

function restored({ registry }: Office): Finding[] {
  if (restoredAtMs(registry) === null) return [];
  return [
    fail('restore', 'a backup was restored, and nobody has confirmed it: Sentry Mode is on everywhere', 'panicly ledger confirm-restore'),
  ];
}

function backups({ backups: made, surroundings, engine }: Office): Finding {
  const [newest] = made.list();
  const fix =
    surroundings.backupEveryMs === null
      ? 'set backup.every_hours, or run "panicly backup" from a timer'
      : 'look for backup_failed in the log of the server';
  if (newest === undefined) return warn('backups', 'there is none in the directory of the server', fix);
  const oldMs = surroundings.backupEveryMs === null ? OLD_BACKUP_MS : 2 * surroundings.backupEveryMs + DAY_MS;
  const found = `the newest is of ${newest.made_at}`;
  return engine.nowMs() - Date.parse(newest.made_at) > oldMs ? warn('backups', found, fix) : well('backups', found);
}

async function alerts(office: Office): Promise<Finding> {
  const { alerts: count, pending, failed } = await alertsStanding(office);
  if (failed > 0) return warn('alerts', `messages that were given up: ${failed}`, 'panicly alerts deliveries --state failed');
  return well('alerts', `${count === 1 ? '1 alert' : `${count} alerts`}, messages that wait: ${pending}`);
}
