import { getTableColumns, getTableName, is } from 'drizzle-orm';
import { SQLiteTable } from 'drizzle-orm/sqlite-core';
import { expect, test } from 'bun:test';
import * as schema from '../../db/schema.ts';
import { SEALED_BY_THE_CHAIN, SEALED_COLUMNS } from '../../src/ledger/sealed.ts';

/** Columns of bytes that hold no secret: proofs of the chain, price lists. */
const NO_SECRET: readonly string[] = [
  'chain_links.entries',
  'chain_links.pruned',
  'chain_links.pruned_mac',
  'chain_links.mac',
  'chain_anchors.before',
  'chain_anchors.after',
  'chain_anchors.mac',
  'price_documents.document',
];

const columns = Object.values(schema as Record<string, unknown>)
  .filter((value) => is(value, SQLiteTable))
  .flatMap((table) => Object.values(getTableColumns(table)).map((column) => ({ name: `${getTableName(table)}.${column.name}`, column })));

test('every column of bytes is in the list that a new master key walks, or holds no secret', () => {
  const sealed = [
    ...SEALED_COLUMNS.flatMap(({ table, columns: parts }) => parts.map((part) => `${table}.${part}`)),
    `${SEALED_BY_THE_CHAIN.table}.${SEALED_BY_THE_CHAIN.column}`,
  ];
  const blobs = columns.filter(({ column }) => column.getSQLType() === 'blob').map(({ name }) => name);
  expect(blobs.toSorted()).toEqual([...sealed, ...NO_SECRET].toSorted());
});

test('no column of text is called like a sealed one', () => {
  const suspicious = columns.filter(({ name, column }) => column.getSQLType() === 'text' && /seal|cipher|encrypt|secret/.test(name));
  expect(suspicious.map(({ name }) => name)).toEqual(['provider_connections.secret_env']);
});
