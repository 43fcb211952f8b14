/** What the ledger's database keeps of price lists: every version, and the documents of the newest. */
import type { AuditEvent } from './store.ts';

/** Where a version of the price list came from: the binary, an operator, or a version before it. */
const CATALOGUE_ORIGINS = ['embedded', 'refresh', 'rollback'] as const;
export type CatalogueOrigin = (typeof CATALOGUE_ORIGINS)[number];

/** How many models a version changed against the one before it. */
export interface CatalogueCounts {
  readonly models: number;
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  /** Of how many names a hold got smaller. */
  readonly lowered: number;
}

/** What a version of the price list is made of. */
export interface NewCatalogue extends CatalogueCounts {
  readonly origin: CatalogueOrigin;
  /** The version whose content this one has again; null unless it is a rollback. */
  readonly rolledBackTo: number | null;
  /** The day of its prices, `2026-07-02`. */
  readonly asOf: string;
  /** The list of a newer binary takes over only when its day is after this one. */
  readonly outranksUntil: string;
  /** Then not even that does. */
  readonly pinned: boolean;
  /** Of the document's text, hexadecimal. */
  readonly sha256: string;
  readonly author: string;
  /** The document as gzip. */
  readonly document: Uint8Array;
}

/** A version as it was stored. Its seq is its number. */
export interface CatalogueVersion extends Omit<NewCatalogue, 'document'> {
  readonly seq: number;
  readonly atMs: number;
}

/** A version, and whether its document is still kept: only then can it be gone back to. */
export interface ListedCatalogue extends CatalogueVersion {
  readonly kept: boolean;
}

/** Of so many of the newest versions the documents are kept. */
export const KEPT_CATALOGUES = 20;

/** The part of the store that price lists work with. */
export interface CatalogueStore {
  saveCatalogue(catalogue: NewCatalogue, audit?: AuditEvent): Promise<CatalogueVersion>;
  /** Newest first. */
  listCatalogues(): Promise<readonly ListedCatalogue[]>;
  /** A document as gzip, or null when it is not kept any more. */
  catalogueDocument(sha256: string): Promise<Uint8Array | null>;
  /** The seq of the last change of any price, also of one that was taken away; 0 before the first. */
  lastPriceSeq(): Promise<number>;
}
