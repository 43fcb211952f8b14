import { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { is } from 'drizzle-orm';
import { getTableConfig, SQLiteTable } from 'drizzle-orm/sqlite-core';
import { makeStrict } from '../../db/generate.ts';
import * as schema from '../../db/schema.ts';
import { migrate, MIGRATIONS } from '../../src/ledger/sqlite/migrate.ts';

const tables = Object.values(schema)
  .filter((value) => is(value, SQLiteTable))
  .map(getTableConfig);

function migrated(): Database {
  const db = new Database(':memory:');
  migrate(db, 1);
  return db;
}

test('every migration file is embedded', () => {
  const files = readdirSync(join(import.meta.dir, '../../db/migrations')).filter((name) => name.endsWith('.sql'));
  expect(MIGRATIONS.map(({ tag }) => `${tag}.sql`)).toEqual(files.toSorted());
});

test('the migrations make what the schema says, in STRICT tables', () => {
  const db = migrated();
  for (const { name, columns } of tables) {
    const made = db.query<{ name: string; type: string; notnull: number }, []>(`PRAGMA table_info(${name})`).all();
    expect(made.map((column) => [name, column.name, column.type.toLowerCase(), column.notnull === 1])).toEqual(
      columns.map((column) => [name, column.name, column.getSQLType(), column.notNull || column.primary]),
    );
  }
  const strict = db.query<{ name: string }, []>(
    "SELECT name FROM pragma_table_list WHERE schema = 'main' AND NOT strict AND name NOT LIKE 'sqlite_%'",
  );
  expect(strict.all()).toEqual([]);
  expect(tables.length).toBeGreaterThan(15);
});

test('a second time applies nothing', () => {
  const db = migrated();
  expect(migrate(db, 2)).toBe(0);
});

test('a migration that was changed after it was applied is refused', () => {
  const db = migrated();
  const changed = MIGRATIONS.map((migration) => ({ ...migration, sql: `${migration.sql} ` }));
  expect(() => migrate(db, 2, changed)).toThrow('was changed after it was applied');
});

test('a database that is newer than the program is refused', () => {
  const db = migrated();
  migrate(db, 2, [...MIGRATIONS, { tag: '9999_later', sql: 'CREATE TABLE later (id INTEGER) STRICT' }]);
  expect(() => migrate(db, 3)).toThrow('9999_later');
});

test('of four processes that start at once, one migrates', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'panicly-migrate-'));
  const child = join(import.meta.dir, '../ledger/workers/migrate-child.ts');
  const children = Array.from({ length: 4 }, () => Bun.spawn([process.execPath, child, join(folder, 'panicly.db')], { stderr: 'pipe' }));
  const counts = await Promise.all(children.map(({ stdout }) => new Response(stdout).text()));
  rmSync(folder, { recursive: true });
  expect(counts.toSorted()).toEqual(['0', '0', '0', String(MIGRATIONS.length)]);
});

test('STRICT is added once, to tables alone', () => {
  const made = 'CREATE TABLE `a` (\n\t`id` integer PRIMARY KEY NOT NULL,\n\tCHECK(id IN (1))\n);\n';
  expect(makeStrict(made)).toBe(made.replace(');\n', ') STRICT;\n'));
  expect(makeStrict(makeStrict(made))).toBe(makeStrict(made));
  const index = 'CREATE INDEX `i` ON `a` (`id`);';
  expect(makeStrict(index)).toBe(index);
});
