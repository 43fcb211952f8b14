/** The tables of price lists. Part of `schema.ts`. */
import { sql } from 'drizzle-orm';
import { blob, check, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** A version of the whole price list; the newest counts. Decisions name it, or a later change of one price, as `price_version`. */
export const priceCatalogues = sqliteTable(
  'price_catalogues',
  {
    seq: integer('seq').primaryKey(),
    atMs: integer('at_ms').notNull(),
    origin: text('origin', { enum: ['embedded', 'refresh', 'rollback'] }).notNull(),
    rolledBackTo: integer('rolled_back_to'),
    /** The day of its prices. */
    asOf: text('as_of').notNull(),
    /** The list of a newer binary takes over only when its day is after this one. */
    outranksUntil: text('outranks_until').notNull(),
    /** Then not even that does. */
    pinned: integer('pinned', { mode: 'boolean' }).notNull(),
    /** The document, in `price_documents` as long as it is kept. */
    sha256: text('sha256').notNull(),
    models: integer('models').notNull(),
    added: integer('added').notNull(),
    removed: integer('removed').notNull(),
    changed: integer('changed').notNull(),
    lowered: integer('lowered').notNull(),
    author: text('author').notNull(),
  },
  (table) => [
    check('price_catalogues_origin', sql`${table.origin} IN ('embedded', 'refresh', 'rollback')`),
    check('price_catalogues_pinned', sql`${table.pinned} IN (0, 1)`),
    check('price_catalogues_sha256', sql`length(${table.sha256}) = 64`),
  ],
);

/** The documents of the newest price lists, as gzip. */
export const priceDocuments = sqliteTable('price_documents', {
  sha256: text('sha256').primaryKey(),
  document: blob('document', { mode: 'buffer' }).notNull(),
});
