import { existsSync } from 'node:fs';
import { ConfigProblem, type Config } from '../../config.ts';
import { ledgerPath } from '../../ledger/sqlite/open.ts';
import { databaseOf } from './database.ts';
import { configurationFile, filesOf } from './files.ts';
import { fail, type Finding } from './finding.ts';
import { diskSpace, openFiles, trustedProxies, walSize } from './machine.ts';

/**
 * Looks at a data directory and its configuration on this machine, with or without a server. Changes nothing. `load` reads the
 * configuration; `configPath` is its file, or null.
 */
export function examineDirectory(load: () => Config, configPath: string | null, nowMs: number): Finding[] {
  let config: Config;
  try {
    config = load();
  } catch (error) {
    if (!(error instanceof ConfigProblem)) throw error;
    return [fail('configuration', error.message, 'mend it: the server does not start with it')];
  }
  const { dataDir } = config;
  const findings = [...configurationFile(configPath), ...filesOf(dataDir, config.backupDirectory)];
  if (!existsSync(dataDir)) return findings;
  const files = openFiles();
  return [
    ...findings,
    diskSpace(dataDir),
    walSize(ledgerPath(dataDir)),
    ...(files === null ? [] : [files]),
    trustedProxies(config.trustedProxies),
    ...databaseOf(config, nowMs),
  ];
}
