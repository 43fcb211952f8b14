/** Which rows a step of pruning takes. */
import type { Database } from 'bun:sqlite';
import { entryAt, entryCount, isMarked } from '../chain/entries.ts';
import { beginsAfter, oldLinks } from '../chain/marks.ts';
import type { ProvableLink } from '../chain/prove.ts';
import { readAll } from '../chain/statements.ts';
import { DECISIONS, SETTLEMENTS } from '../chain/tables.ts';
import type { PrunePlace, PruneStep } from '../../keep-store.ts';

/** What a step takes. */
export interface Picked {
  /** Seqs of the decisions, settlements and corrections that go. */
  readonly decisions: readonly number[];
  readonly settlements: readonly number[];
  readonly corrections: readonly number[];
  readonly links: readonly ProvableLink[];
  /** Where the next step goes on; null when there is nothing left that is old enough. */
  readonly next: PrunePlace | null;
}

/** A correction that is not old enough keeps what it corrects. */
const SETTLED_BEFORE = `NOT EXISTS (SELECT 1 FROM corrections c WHERE c.decision_seq = s.decision_seq AND c.seq >= ?)`;

const BEFORE_CHAIN: PrunePlace = { link: 0, row: 0 };
const BEGINNING: PrunePlace = { link: 1, row: 0 };

/** Picks the oldest rows from a place on: denials, and settlements with their decisions and corrections. What is open stays. */
export function pick(db: Database, { beforeSeq, from, maxRows }: PruneStep): Picked {
  const unlinked = from === null || from.link === 0 ? pickUnlinked(db, beforeSeq, maxRows) : null;
  return unlinked ?? pickLinked(db, beforeSeq, from === null || from.link === 0 ? BEGINNING : from, maxRows);
}

/** Rows that are older than the chain are in no link; null when there are none left. */
function pickUnlinked(db: Database, beforeSeq: number, maxRows: number): Picked | null {
  const upTo = Math.min(beginsAfter(db), beforeSeq - 1);
  const settled = readAll<SettledRow>(
    db,
    `SELECT s.seq, s.decision_seq AS decisionSeq FROM settlements s WHERE s.seq <= ? AND ${SETTLED_BEFORE} ORDER BY s.seq LIMIT ${maxRows}`,
    upTo,
    beforeSeq,
  );
  const denials = readAll<{ seq: number }>(
    db,
    `SELECT seq FROM decisions WHERE seq <= ? AND reason IS NOT NULL ORDER BY seq LIMIT ${maxRows}`,
    upTo,
  );
  if (settled.length + denials.length === 0) return null;
  return picked(db, settled, denials, [], BEFORE_CHAIN);
}

function pickLinked(db: Database, beforeSeq: number, from: PrunePlace, maxRows: number): Picked {
  const { links, decisions, settlements, next } = rowsFrom(oldLinks(db, from, beforeSeq, maxRows), from, maxRows);
  const settled = readAll<SettledRow>(
    db,
    `SELECT s.seq, s.decision_seq AS decisionSeq FROM settlements s WHERE s.seq IN (SELECT value FROM json_each(?)) AND ${SETTLED_BEFORE}`,
    JSON.stringify(settlements),
    beforeSeq,
  );
  const denials = readAll<{ seq: number }>(
    db,
    'SELECT seq FROM decisions WHERE seq IN (SELECT value FROM json_each(?)) AND reason IS NOT NULL',
    JSON.stringify(decisions),
  );
  return picked(db, settled, denials, links, next);
}

interface SettledRow {
  readonly seq: number;
  readonly decisionSeq: number;
}

function picked(
  db: Database,
  settled: readonly SettledRow[],
  denials: readonly { readonly seq: number }[],
  links: readonly ProvableLink[],
  next: PrunePlace | null,
): Picked {
  const ofSettled = settled.map(({ decisionSeq }) => decisionSeq);
  const corrections = readAll<{ seq: number }>(
    db,
    'SELECT seq FROM corrections WHERE decision_seq IN (SELECT value FROM json_each(?))',
    JSON.stringify(ofSettled),
  );
  return {
    decisions: [...ofSettled, ...denials.map(({ seq }) => seq)],
    settlements: settled.map(({ seq }) => seq),
    corrections: corrections.map(({ seq }) => seq),
    links,
    next,
  };
}

/** The rows from a place on that are not pruned, with the links that they are in. */
function rowsFrom(links: readonly ProvableLink[], from: PrunePlace, maxRows: number) {
  const rows = { decisions: [] as number[], settlements: [] as number[] };
  let next: PrunePlace | null = null;
  for (const [index, { link, entries, pruned }] of links.entries()) {
    for (let row = link === from.link ? from.row : 0; row < entryCount(entries); row++) {
      const { table, seq } = entryAt(entries, row);
      if (isMarked(pruned, row) || (table !== DECISIONS && table !== SETTLEMENTS)) continue;
      if (rows.decisions.length + rows.settlements.length === maxRows)
        return { ...rows, links: links.slice(0, index + 1), next: { link, row } };
      rows[table === DECISIONS ? 'decisions' : 'settlements'].push(seq);
    }
    next = { link: link + 1, row: 0 };
  }
  return { ...rows, links, next };
}
