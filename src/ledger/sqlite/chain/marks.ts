/**
 * What pruning does to a chain. A link keeps the digests of rows that are gone, with a proven mark that they were pruned and not removed.
 * Links of which nothing is left become one anchor, which keeps only where the chain entered and left them.
 */
import type { Database } from 'bun:sqlite';
import type { PrunePlace } from '../../keep-store.ts';
import { beginningOf, joinAnchors, macBefore } from './anchors.ts';
import type { ExpectedRow } from './check-rows.ts';
import { entryAt, entryCount, isMarked, tagAt } from './entries.ts';
import { prunedMac } from './macs.ts';
import { ChainBroken, proveAnchor, proveLink, proveRows, type ProvableLink } from './prove.ts';
import { readOne, runOnce } from './statements.ts';

/** A link has one row at least, but those may be pruned already. */
const MAX_LINKS = 256;
const LINK = 'SELECT link, last_seq AS lastSeq, at_ms AS atMs, entries, pruned, pruned_mac AS prunedMac, mac FROM chain_links';

/** Links from a place on whose rows all came before `beforeSeq`, in order: so many that they have `maxRows` rows from there on. */
export function oldLinks(db: Database, from: PrunePlace, beforeSeq: number, maxRows: number): ProvableLink[] {
  const statement = db.prepare<ProvableLink, [number, number]>(`${LINK} WHERE link >= ? AND last_seq < ? ORDER BY link`);
  const links: ProvableLink[] = [];
  try {
    let rows = -from.row;
    for (const link of statement.iterate(from.link, beforeSeq)) {
      links.push(link);
      rows += entryCount(link.entries);
      if (rows >= maxRows || links.length === MAX_LINKS) break;
    }
  } finally {
    statement.finalize();
  }
  return links;
}

/** The last seq that is older than the chain; 0 when the chain is as old as the ledger. */
export function beginsAfter(db: Database): number {
  return beginningOf(db).lastSeq;
}

/**
 * Marks the rows at `seqs`, which are still there, as pruned, and turns links of which no row is left into anchors. `near` are links in
 * which most of them are. Rows that are older than the chain have no mark. Throws `ChainBroken` when a row is not as the chain has it,
 * or a link or anchor that is signed anew is not ours.
 */
export function markPruned(db: Database, key: Uint8Array, seqs: readonly number[], near: readonly ProvableLink[], atMs: number): void {
  const beginning = beginningOf(db);
  proveAnchor(key, beginning);
  const left = new Set(seqs.filter((seq) => seq > beginning.lastSeq));
  const emptied: ProvableLink[] = [];
  const taken: ExpectedRow[] = [];
  const mark = (link: ProvableLink): void => {
    const marks = marksWith(link, left, taken);
    if (marks === null) return;
    proveLink(key, macBefore(db, link.link), link);
    if (isFull(link, marks)) emptied.push(link);
    else
      runOnce(
        db,
        'UPDATE chain_links SET pruned = ?, pruned_mac = ? WHERE link = ?',
        marks,
        prunedMac(key, link.link, link.mac, marks),
        link.link,
      );
  };
  for (const link of near) mark(link);
  const far = new LinkSearch(db);
  try {
    for (const seq of left) {
      mark(far.linkOf(seq));
      if (left.has(seq)) throw new ChainBroken(`row ${seq} is in no link of the chain`);
    }
  } finally {
    far.finalize();
  }
  proveRows(db, taken);
  joinAnchors(db, key, emptied, atMs);
}

/** The marks of a link with those at `left` added, which are moved from there to `taken`; null when none of them is in the link. */
function marksWith({ entries, pruned }: ProvableLink, left: Set<number>, taken: ExpectedRow[]): Uint8Array | null {
  const count = entryCount(entries);
  const marks = new Uint8Array(Math.ceil(count / 8));
  if (pruned !== null) marks.set(pruned.subarray(0, marks.length));
  let isChanged = false;
  for (let index = 0; index < count; index++) {
    const entry = entryAt(entries, index);
    if (!left.delete(entry.seq)) continue;
    taken.push({ ...entry, tag: tagAt(entries, index) });
    marks[index >>> 3]! |= 1 << (index & 7);
    isChanged = true;
  }
  return isChanged ? marks : null;
}

function isFull({ entries }: ProvableLink, marks: Uint8Array): boolean {
  for (let index = 0; index < entryCount(entries); index++) if (!isMarked(marks, index)) return false;
  return true;
}

/** Finds the link of a row that was given its seq when it was queued, as all are but denials: the first link that reaches the seq. */
class LinkSearch {
  readonly #next;
  readonly #lastLink: number;

  constructor(readonly db: Database) {
    this.#next = db.prepare<{ link: number; lastSeq: number }, [number]>(
      'SELECT link, last_seq AS lastSeq FROM chain_links WHERE link >= ? ORDER BY link LIMIT 1',
    );
    this.#lastLink = readOne<{ link: number | null }>(db, 'SELECT max(link) AS link FROM chain_links')?.link ?? 0;
  }

  linkOf(seq: number): ProvableLink {
    let low = 1;
    let high = this.#lastLink + 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const link = this.#next.get(middle);
      if (link !== null && link.lastSeq < seq) low = link.link + 1;
      else high = middle;
    }
    const link = readOne<ProvableLink>(this.db, `${LINK} WHERE link >= ? ORDER BY link LIMIT 1`, low);
    if (link === null) throw new ChainBroken(`no link of the chain reaches row ${seq}`);
    return link;
  }

  finalize(): void {
    this.#next.finalize();
  }
}
