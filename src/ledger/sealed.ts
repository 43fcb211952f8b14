/**
 * The one list of what the master key seals in the ledger. Changing the master key walks it; a test goes red when a column of bytes is
 * neither here nor known to hold no secret.
 */
export interface SealedColumn {
  readonly table: string;
  /** The sealed bytes: in one column, or the head in the first and the rest in the second. */
  readonly columns: readonly [string] | readonly [head: string, rest: string];
  /** SQL that gives what the value of a row is tied to: the associated data that it was sealed with. */
  readonly associatedData: string;
}

/** Sealed with `seal` of `upstream/secrets.ts`. */
export const SEALED_COLUMNS = [
  { table: 'provider_connections', columns: ['nonce', 'ciphertext'], associatedData: "'connection:' || public_id" },
  { table: 'alerts', columns: ['sealed_url'], associatedData: "'alert:' || public_id || ':url'" },
  { table: 'alerts', columns: ['sealed_secret'], associatedData: "'alert:' || public_id || ':secret'" },
] as const satisfies readonly SealedColumn[];

/** Sealed in the writer, with a key that the master key derives for it alone: see `sqlite/chain/key.ts`. */
export const SEALED_BY_THE_CHAIN = { table: 'chain_keys', column: 'sealed' } as const;

/** A sealed value as it is stored. */
export interface SealedValue {
  /** Its place in `SEALED_COLUMNS`. */
  readonly column: number;
  /** The id of its row. */
  readonly id: number;
  readonly sealed: Uint8Array;
  readonly associatedData: string;
}

/** A value that is sealed anew. It is stored only where the old one still stands. */
export interface ResealedValue extends SealedValue {
  readonly resealed: Uint8Array;
}
