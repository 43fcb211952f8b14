/**
 * What pruning asks before it signs anew or takes rows away: whatever somebody has changed would else be made good by that.
 * Each throws `ChainBroken` where the file is not as the chain has it.
 */
import type { Database } from 'bun:sqlite';
import { RowCheck, type ExpectedRow } from './check-rows.ts';
import { ENTRY_BYTES } from './entries.ts';
import { anchorMac, linkMac, prunedMac, sameBytes, type AnchorFields, type LinkFields } from './macs.ts';

/** The ledger is not as its chain has it. */
export class ChainBroken extends Error {
  override readonly name = 'ChainBroken';

  constructor(what: string) {
    super(`${what}: nothing is pruned until that is understood, see "panicly ledger verify"`);
  }
}

/** A link with all that is stored of it. */
export interface ProvableLink extends LinkFields {
  readonly pruned: Uint8Array | null;
  readonly prunedMac: Uint8Array | null;
  readonly mac: Uint8Array;
}

/** A link follows the one with the mac `before`, and what is marked as pruned in it was pruned by us. */
export function proveLink(key: Uint8Array, before: Uint8Array, stored: ProvableLink): void {
  const { link, entries, pruned, mac } = stored;
  if (entries.length % ENTRY_BYTES !== 0 || !sameBytes(linkMac(key, before, stored), mac))
    throw new ChainBroken(`link ${link} was changed`);
  if (pruned !== null && (stored.prunedMac === null || !sameBytes(prunedMac(key, link, mac, pruned), stored.prunedMac)))
    throw new ChainBroken(`what was pruned of link ${link} was changed`);
}

/** An anchor is one of ours. */
export function proveAnchor(key: Uint8Array, anchor: AnchorFields & { readonly mac: Uint8Array }): void {
  if (!sameBytes(anchorMac(key, anchor), anchor.mac)) throw new ChainBroken(`the anchor at link ${anchor.firstLink} was changed`);
}

/** Rows are as proven links have them. */
export function proveRows(db: Database, expected: readonly ExpectedRow[]): void {
  const rows = new RowCheck(db);
  rows.check(expected);
  const [bad] = rows.finish();
  if (bad) throw new ChainBroken(`${bad.table} ${bad.seq} was ${bad.change}`);
}
