/** Proves the rows of a ledger by its chain. */
import type { Database } from 'bun:sqlite';
import { storedAnchors } from './anchors.ts';
import { LinkCheck } from './check-links.ts';
import { RowCheck, type BadRow } from './check-rows.ts';
import { ENTRY_BYTES } from './entries.ts';
import type { EarlierHead } from '../../keep-store.ts';

/** What the chain of a ledger says. */
export interface ChainCheck {
  /** Rows that are not as the chain has them, the lowest seq first. */
  readonly rows: readonly BadRow[];
  /** One sentence for each link that does not follow from the one before, and for a tail that is gone. */
  readonly problems: readonly string[];
  /** What could not be told, for people. */
  readonly notes: readonly string[];
  readonly links: number;
}

/** How to check a chain. */
export interface ChainCheckOptions {
  /** Null when the master key is not there: the rows are then compared with the links, but the links are not proven. */
  readonly key: Uint8Array | null;
  /** What the ledger must still have. */
  readonly head: EarlierHead | null;
  /** Called with how many of all rows are done. */
  readonly onProgress: (done: number, total: number) => void;
}

/** Reads every link and every row that it names, in pages. */
export function checkChain(db: Database, { key, head, onProgress }: ChainCheckOptions): ChainCheck {
  const anchors = storedAnchors(db);
  const [beginning] = anchors;
  if (beginning?.firstLink !== 0) return { rows: [], problems: ['the beginning of the chain was removed'], notes: [], links: 0 };
  const total = entriesOf(db);
  const rows = new RowCheck(db);
  let done = 0;
  const onRows: ConstructorParameters<typeof LinkCheck>[0]['onRows'] = (expected) => {
    rows.check(expected);
    onProgress((done += expected.length), total);
  };
  const links = new LinkCheck({ db, key, onRows }, anchors);
  const isHeadKnown = links.run(head);
  rows.checkNoOthers(beginning.lastSeq);
  return {
    rows: rows.finish(),
    problems: links.problems,
    notes: [
      ...(key === null ? ['the links of the chain were not proven: that needs the master key'] : []),
      ...(beginning.lastSeq > 0 ? [`rows up to seq ${beginning.lastSeq} are older than the chain`] : []),
      ...(isHeadKnown ? [] : ['the anchor’s link was pruned: that the ledger goes on after it is all that can be told']),
    ],
    links: links.links,
  };
}

function entriesOf(db: Database): number {
  const statement = db.prepare<{ rows: number }, []>(`SELECT coalesce(sum(length(entries)) / ${ENTRY_BYTES}, 0) AS rows FROM chain_links`);
  const rows = statement.get()?.rows ?? 0;
  statement.finalize();
  return rows;
}
