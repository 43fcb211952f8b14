/** What price lists write: a command of the writer, see `commands.ts`. */
import { desc, notInArray } from 'drizzle-orm';
import { priceCatalogues, priceDocuments } from '../../../db/schema-catalogues.ts';
import { KEPT_CATALOGUES, type CatalogueVersion, type NewCatalogue } from '../catalogue-store.ts';
import type { CommandContext } from './commands.ts';

/** Stores a version with its document, and lets go of the documents that no newest version has. */
export function saveCatalogue({ db, seq, atMs }: CommandContext, { document, ...version }: NewCatalogue): CatalogueVersion {
  const { sha256 } = version;
  db.insert(priceDocuments)
    .values({ sha256, document: Buffer.from(document) })
    .onConflictDoNothing()
    .run();
  const saved = db
    .insert(priceCatalogues)
    .values({ ...version, seq, atMs })
    .returning()
    .get();
  const newest = db
    .select({ sha256: priceCatalogues.sha256 })
    .from(priceCatalogues)
    .orderBy(desc(priceCatalogues.seq))
    .limit(KEPT_CATALOGUES)
    .all();
  db.delete(priceDocuments)
    .where(
      notInArray(
        priceDocuments.sha256,
        newest.map((row) => row.sha256),
      ),
    )
    .run();
  return saved;
}
