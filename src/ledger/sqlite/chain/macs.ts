/** What proves the chain: HMAC-SHA-256 with a key that only the writer and whoever verifies have. */

/** A link as it is stored, without what is pruned of it. */
export interface LinkFields {
  readonly link: number;
  readonly lastSeq: number;
  readonly atMs: number;
  readonly entries: Uint8Array;
}

/** An anchor as it is stored. */
export interface AnchorFields {
  readonly firstLink: number;
  readonly lastLink: number;
  readonly lastSeq: number;
  readonly atMs: number;
  /** The mac of the link before the first. */
  readonly before: Uint8Array;
  /** The mac of the last link. */
  readonly after: Uint8Array;
}

/** What the chain begins from. */
export const NO_MAC = new Uint8Array(32);

/** The mac of a link, which makes those before it part of it. */
export function linkMac(key: Uint8Array, before: Uint8Array, { link, lastSeq, atMs, entries }: LinkFields): Uint8Array {
  return new Bun.CryptoHasher('sha256', key).update(`link ${link} ${lastSeq} ${atMs} `).update(before).update(entries).digest();
}

/** What proves which rows of a link were pruned. */
export function prunedMac(key: Uint8Array, link: number, mac: Uint8Array, marks: Uint8Array): Uint8Array {
  return new Bun.CryptoHasher('sha256', key).update(`pruned ${link} `).update(mac).update(marks).digest();
}

/** What proves an anchor. */
export function anchorMac(key: Uint8Array, anchor: AnchorFields): Uint8Array {
  const { firstLink, lastLink, lastSeq, atMs, before, after } = anchor;
  return new Bun.CryptoHasher('sha256', key)
    .update(`anchor ${firstLink} ${lastLink} ${lastSeq} ${atMs} `)
    .update(before)
    .update(after)
    .digest();
}

/** Whether two macs are the same. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
