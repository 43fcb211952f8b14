/** What price lists read, on a read-only connection. */
import { desc, eq, max } from 'drizzle-orm';
import type { BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite';
import { priceCatalogues, priceDocuments } from '../../../db/schema-catalogues.ts';
import { priceOverrides } from '../../../db/schema.ts';
import type { ListedCatalogue } from '../catalogue-store.ts';

/** Every version, newest first. */
export function listCatalogues(db: BunSQLiteDatabase): ListedCatalogue[] {
  const kept = new Set(
    db
      .select({ sha256: priceDocuments.sha256 })
      .from(priceDocuments)
      .all()
      .map(({ sha256 }) => sha256),
  );
  const rows = db.select().from(priceCatalogues).orderBy(desc(priceCatalogues.seq)).all();
  return rows.map((row) => ({ ...row, kept: kept.has(row.sha256) }));
}

/** The document with this digest, or null. */
export function catalogueDocument(db: BunSQLiteDatabase, sha256: string): Uint8Array | null {
  const row = db.select({ document: priceDocuments.document }).from(priceDocuments).where(eq(priceDocuments.sha256, sha256)).get();
  return row ? new Uint8Array(row.document) : null;
}

/** The seq of the last change of any price. */
export function lastPriceSeq(db: BunSQLiteDatabase): number {
  const list = db
    .select({ seq: max(priceCatalogues.seq) })
    .from(priceCatalogues)
    .get();
  const one = db
    .select({ seq: max(priceOverrides.seq) })
    .from(priceOverrides)
    .get();
  return Math.max(list?.seq ?? 0, one?.seq ?? 0);
}
