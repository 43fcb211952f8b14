/** Anchors: what stands for links of which every row was pruned. */
import type { Database } from 'bun:sqlite';
import { anchorMac, type AnchorFields } from './macs.ts';
import { ChainBroken, proveAnchor } from './prove.ts';
import { readAll, readOne, runOnce } from './statements.ts';

/** A link that is to go. */
export interface EmptiedLink {
  readonly link: number;
  readonly lastSeq: number;
  readonly mac: Uint8Array;
}

/** An anchor with what proves it. */
export interface StoredAnchor extends AnchorFields {
  readonly mac: Uint8Array;
}

const ANCHOR = `SELECT first_link AS firstLink, last_link AS lastLink, last_seq AS lastSeq, at_ms AS atMs, before, after, mac FROM chain_anchors`;

/** The anchors of a chain, the one that it begins with first. */
export function storedAnchors(db: Database): StoredAnchor[] {
  return readAll<StoredAnchor>(db, `${ANCHOR} ORDER BY first_link`);
}

/** Takes proven links out and leaves anchors in their place; anchors that touch become one. Part of a transaction. Throws `ChainBroken`. */
export function joinAnchors(db: Database, key: Uint8Array, emptied: readonly EmptiedLink[], atMs: number): void {
  for (const { link, lastSeq, mac } of emptied.toSorted((a, b) => a.link - b.link)) {
    const left = link === 1 ? null : anchorEndingAt(db, link - 1);
    const right = readOne<StoredAnchor>(db, `${ANCHOR} WHERE first_link = ?`, link + 1);
    for (const anchor of [left, right]) if (anchor !== null) proveAnchor(key, anchor);
    const joined = {
      firstLink: left?.firstLink ?? link,
      lastLink: right?.lastLink ?? link,
      lastSeq: right?.lastSeq ?? lastSeq,
      atMs,
      before: left?.before ?? macBefore(db, link),
      after: right?.after ?? mac,
    };
    runOnce(db, 'DELETE FROM chain_links WHERE link = ?', link);
    if (right) runOnce(db, 'DELETE FROM chain_anchors WHERE first_link = ?', right.firstLink);
    const { firstLink, lastLink, before, after } = joined;
    const proof = anchorMac(key, joined);
    runOnce(
      db,
      'INSERT OR REPLACE INTO chain_anchors VALUES (?, ?, ?, ?, ?, ?, ?)',
      firstLink,
      lastLink,
      joined.lastSeq,
      atMs,
      before,
      after,
      proof,
    );
  }
}

/** The anchor whose last link is this one. That at the beginning of the chain stays by itself. */
function anchorEndingAt(db: Database, link: number): StoredAnchor | null {
  const anchor = readOne<StoredAnchor>(db, `${ANCHOR} WHERE first_link > 0 AND first_link <= ? ORDER BY first_link DESC LIMIT 1`, link);
  return anchor?.lastLink === link ? anchor : null;
}

/** What a link follows: the mac of the one before, or what stands for it. Throws `ChainBroken` when that is gone. */
export function macBefore(db: Database, link: number): Uint8Array {
  if (link === 1) return beginningOf(db).after;
  const before = readOne<{ mac: Uint8Array }>(db, 'SELECT mac FROM chain_links WHERE link = ?', link - 1)?.mac;
  const mac = before ?? anchorEndingAt(db, link - 1)?.after;
  if (mac === undefined) throw new ChainBroken(`link ${link - 1} was removed`);
  return mac;
}

/** Where the chain begins. */
export function beginningOf(db: Database): StoredAnchor {
  const beginning = readOne<StoredAnchor>(db, `${ANCHOR} WHERE first_link = 0`);
  if (beginning === null) throw new ChainBroken('the beginning of the chain was removed');
  return beginning;
}
