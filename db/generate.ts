/**
 * `bun db/generate.ts NAME`: makes the next migration from `schema.ts` with drizzle-kit, then mends what it cannot say:
 * every table becomes STRICT, and derived tables with a composite key become WITHOUT ROWID.
 */
import { readdirSync } from 'node:fs';

const FOLDER = `${import.meta.dir}/migrations`;
const WITHOUT_ROWID = new Set(['usage_rollups', 'balances', 'archived_rollups', 'archived_balances', 'archived_doubts']);

/** Adds STRICT, and WITHOUT ROWID where it fits, to every CREATE TABLE. Doing it twice changes nothing. */
export function makeStrict(migration: string): string {
  return migration.replace(/CREATE TABLE `(\w+)` \([\s\S]*?\n\);/g, (statement, table: string) => {
    const options = WITHOUT_ROWID.has(table.replace(/^__new_/, '')) ? 'STRICT, WITHOUT ROWID' : 'STRICT';
    return statement.replace(/\);$/, `) ${options};`);
  });
}

if (import.meta.main) {
  const name = process.argv[2];
  if (!name) throw new Error('usage: bun db/generate.ts NAME');
  const generate = Bun.spawnSync(['bun', '--bun', 'x', 'drizzle-kit', 'generate', '--config', 'db/drizzle.config.ts', '--name', name], {
    stdio: ['inherit', 'inherit', 'inherit'],
  });
  for (const file of readdirSync(FOLDER).filter((entry) => entry.endsWith('.sql'))) {
    const path = `${FOLDER}/${file}`;
    await Bun.write(path, makeStrict(await Bun.file(path).text()));
  }
  process.exitCode = generate.exitCode;
}
