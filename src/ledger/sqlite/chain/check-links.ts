/** Walks the links and anchors of a chain and says where one does not follow from the one before. */
import type { Database } from 'bun:sqlite';
import type { ExpectedRow } from './check-rows.ts';
import { ENTRY_BYTES, entryAt, entryCount, isMarked, tagAt } from './entries.ts';
import type { EarlierHead } from '../../keep-store.ts';
import type { StoredAnchor } from './anchors.ts';
import { anchorMac, linkMac, prunedMac, sameBytes, type LinkFields } from './macs.ts';
import { CHAINED_TABLES } from './tables.ts';

interface StoredLink extends LinkFields {
  readonly pruned: Uint8Array | null;
  readonly prunedMac: Uint8Array | null;
  readonly mac: Uint8Array;
}

const LINKS = `SELECT link, last_seq AS lastSeq, at_ms AS atMs, entries, pruned, pruned_mac AS prunedMac, mac
  FROM chain_links WHERE link >= 1 ORDER BY link`;
/** Rows are compared so many at once: a link may hold a thousand, or one. */
const PAGE_ROWS = 8_192;

/** What the walk needs. */
export interface LinkWalk {
  readonly db: Database;
  /** The chain's key; null checks only that no link is missing. */
  readonly key: Uint8Array | null;
  /** Called with the rows of some links. */
  readonly onRows: (rows: readonly ExpectedRow[]) => void;
}

/** Walks a chain from its beginning. */
export class LinkCheck {
  readonly problems: string[] = [];
  /** The link that comes next. */
  #next = 1;
  /** The mac of the link before; null when that is not known. */
  #before: Uint8Array | null;
  readonly #anchors: Map<number, StoredAnchor>;
  #head: { readonly wanted: EarlierHead; mac: Uint8Array | null; isPruned: boolean } | null = null;

  /** `anchors` are all of the chain, and not empty. */
  constructor(
    readonly walk: LinkWalk,
    anchors: readonly StoredAnchor[],
  ) {
    const [beginning, ...others] = anchors;
    this.#before = beginning!.after;
    this.#prove(beginning!);
    this.#anchors = new Map(others.map((anchor) => [anchor.firstLink, anchor]));
  }

  /** How many links there are, those that anchors stand for included. */
  get links(): number {
    return this.#next - 1;
  }

  /** Walks to the end. `head` must be on the way. Returns whether that could be told: not when its link was pruned and others with it. */
  run(head: EarlierHead | null): boolean {
    if (head !== null) this.#head = { wanted: head, mac: null, isPruned: false };
    const links = this.walk.db.prepare<StoredLink, []>(LINKS);
    let rows: ExpectedRow[] = [];
    for (const link of links.iterate()) {
      for (const row of this.#link(link)) rows.push(row);
      if (rows.length < PAGE_ROWS) continue;
      this.walk.onRows(rows);
      rows = [];
    }
    links.finalize();
    this.walk.onRows(rows);
    while (this.#anchors.has(this.#next)) this.#anchor(this.#anchors.get(this.#next)!);
    for (const { firstLink } of this.#anchors.values()) this.problems.push(`the anchor at link ${firstLink} has no place in the chain`);
    return this.#compareHead();
  }

  #link(stored: StoredLink): ExpectedRow[] {
    const { link, entries, mac } = stored;
    this.#reach(link);
    const { key } = this.walk;
    if (key !== null && this.#before !== null && !sameBytes(linkMac(key, this.#before, stored), mac))
      this.problems.push(`link ${link} was changed`);
    this.#before = mac;
    this.#next = link + 1;
    if (this.#head?.wanted.link === link) this.#head.mac = mac;
    if (entries.length % ENTRY_BYTES !== 0) this.problems.push(`link ${link} is cut`);
    this.#provePruned(stored);
    return rowsOf(stored);
  }

  /** Goes over the anchors that stand before a link. */
  #reach(link: number): void {
    while (this.#next < link) {
      const anchor = this.#anchors.get(this.#next);
      if (anchor === undefined || anchor.lastLink >= link) {
        this.problems.push(`links ${this.#next} to ${link - 1} were removed`);
        this.#before = null;
        return;
      }
      this.#anchor(anchor);
    }
  }

  #anchor(anchor: StoredAnchor): void {
    const { firstLink, lastLink, before, after } = anchor;
    this.#anchors.delete(firstLink);
    this.#prove(anchor);
    if (this.#before !== null && !sameBytes(before, this.#before))
      this.problems.push(`the anchor at link ${firstLink} follows another link`);
    if (this.#head && this.#head.wanted.link >= firstLink && this.#head.wanted.link <= lastLink) {
      this.#head.isPruned = true;
      if (this.#head.wanted.link === lastLink) this.#head.mac = after;
    }
    this.#before = after;
    this.#next = lastLink + 1;
  }

  #prove(anchor: StoredAnchor): void {
    const { key } = this.walk;
    if (key !== null && !sameBytes(anchorMac(key, anchor), anchor.mac))
      this.problems.push(`the anchor at link ${anchor.firstLink} was changed`);
  }

  #provePruned({ link, mac, pruned, prunedMac: proof }: StoredLink): void {
    const { key } = this.walk;
    if (key === null || pruned === null) return;
    if (proof === null || !sameBytes(prunedMac(key, link, mac, pruned), proof))
      this.problems.push(`what was pruned of link ${link} was changed`);
  }

  #compareHead(): boolean {
    if (this.#head === null) return true;
    const { wanted, mac, isPruned } = this.#head;
    if (wanted.link >= this.#next) {
      this.problems.push(`the ledger ends at link ${this.#next - 1}, but had link ${wanted.link} before: its tail was cut`);
    } else if (mac !== null && Buffer.from(mac).toString('hex') !== wanted.mac) {
      this.problems.push(`link ${wanted.link} is not the one that it was before`);
    }
    return mac !== null || !isPruned;
  }
}

function rowsOf({ entries, pruned }: StoredLink): ExpectedRow[] {
  const rows: ExpectedRow[] = [];
  for (let index = 0; index < entryCount(entries); index++) {
    const { table, seq } = entryAt(entries, index);
    if (CHAINED_TABLES[table] !== undefined && !isMarked(pruned, index)) rows.push({ table, seq, tag: tagAt(entries, index) });
  }
  return rows;
}
