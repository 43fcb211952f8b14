import type { CatalogueVersion, NewCatalogue } from '../ledger/catalogue-store.ts';
import type { Store } from '../ledger/store.ts';
import { Catalogue } from '../pricing/catalogue.ts';
import { dayOf, type RawCatalogue } from '../pricing/check-document.ts';
import { compareCatalogues, type CatalogueDiff } from './catalogue-diff.ts';
import type { PriceList, PricesAtStart } from './price-board.ts';

/** The list that a binary carries, as document and made ready. */
export interface EmbeddedList {
  readonly raw: RawCatalogue;
  readonly catalogue: Catalogue;
}

/** The list of a binary that names no day is older than all others. */
const NO_DAY = '1970-01-01';
const SYSTEM = 'system';

/**
 * The prices that a process starts with. The list that the binary carries is in force until an operator refreshes it; a refreshed one
 * stays, also when it is of an older day. The list of a newer binary takes over when its day is after both that of the refreshed list
 * and that of the list which the binary carried then, unless the list in force is pinned.
 */
export async function pricesAtStart(store: Store, embedded: EmbeddedList, overrides: PricesAtStart['overrides']): Promise<PricesAtStart> {
  const own = { ...embedded, day: dayOf(embedded.raw) ?? NO_DAY, sha256: digestOf(embedded.raw) };
  const [newest = null] = await store.listCatalogues();
  const list = (await stays(store, own, newest)) ?? (await takeEmbedded(store, own, newest));
  return { list, overrides, lastSeq: await store.lastPriceSeq(), embeddedDay: own.day };
}

type OwnList = EmbeddedList & { readonly day: string; readonly sha256: string };

/** The newest stored list, when it stays in force. One that cannot be read any more gives way to the one that is there. */
async function stays(store: Store, own: OwnList, newest: CatalogueVersion | null): Promise<PriceList | null> {
  if (newest === null || takesOver(own, newest)) return null;
  if (newest.sha256 === own.sha256) return { catalogue: own.catalogue, version: newest };
  const raw = await readDocument(store, newest.sha256);
  return raw && { catalogue: Catalogue.parse(raw, newest.seq), version: newest };
}

/** Whether the list that a binary carries takes the place of the newest that is stored. */
export function takesOver(
  own: { readonly day: string; readonly sha256: string },
  newest: Pick<CatalogueVersion, 'origin' | 'asOf' | 'outranksUntil' | 'pinned' | 'sha256'>,
): boolean {
  if (newest.pinned || newest.sha256 === own.sha256) return false;
  return newest.origin === 'embedded' ? own.day >= newest.asOf : own.day > newest.outranksUntil;
}

async function takeEmbedded(store: Store, own: OwnList, newest: CatalogueVersion | null): Promise<PriceList> {
  const { raw, catalogue, day, sha256 } = own;
  const before = newest && (await readDocument(store, newest.sha256));
  const counts = countsOf(before && compareCatalogues(Catalogue.parse(before, 0), catalogue, []), catalogue);
  const fresh: NewCatalogue = {
    ...counts,
    origin: 'embedded',
    rolledBackTo: null,
    asOf: day,
    outranksUntil: day,
    pinned: false,
    sha256,
    author: SYSTEM,
    document: packed(raw),
  };
  const detail = { ...counts, as_of: day };
  const audit = { actor: SYSTEM, action: 'prices.embedded', subject: 'prices', ip: null, detail };
  // The first start changes nothing that anybody had.
  const version = await (newest === null ? store.saveCatalogue(fresh) : store.saveCatalogue(fresh, audit));
  return { catalogue, version };
}

/** The numbers of a comparison; without one everything is new. */
export function countsOf(diff: CatalogueDiff | null, after: Catalogue) {
  const models = after.providers().reduce((sum, provider) => sum + after.modelsOf(provider).length, 0);
  if (diff === null) return { models, added: models, removed: 0, changed: 0, lowered: 0 };
  const { added, removed, changed, changes } = diff;
  return { models, added, removed, changed, lowered: changes.filter(({ lowers }) => lowers !== null).length };
}

/** The digest of a document: the same content has the same one. Hexadecimal. */
export function digestOf(raw: RawCatalogue): string {
  return new Bun.CryptoHasher('sha256').update(JSON.stringify(raw)).digest('hex');
}

/** A document as it is stored. */
export function packed(raw: RawCatalogue): Uint8Array {
  return Bun.gzipSync(JSON.stringify(raw));
}

/** A stored document, or null when it is not kept any more or cannot be read. */
export async function readDocument(store: Store, sha256: string): Promise<RawCatalogue | null> {
  const document = await store.catalogueDocument(sha256);
  if (document === null) return null;
  try {
    const raw = JSON.parse(new TextDecoder().decode(Bun.gunzipSync(new Uint8Array(document)))) as RawCatalogue;
    Catalogue.parse(raw, 0);
    // The digest is in the chain, and the document is not.
    return digestOf(raw) === sha256 ? raw : null;
  } catch {
    return null;
  }
}
