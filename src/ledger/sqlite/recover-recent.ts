import type { Database } from 'bun:sqlite';
import { COST_IN_FORCE } from './corrections.ts';
import type { Checkpoint } from './protocol.ts';
import { RECENT_MS, recentSeq, spenderOf, valuesOf, type SpenderColumns, type Workspaces } from './recover-windows.ts';
import { Spenders } from './spenders.ts';

/** How many settlements are read at most: their sums are known without them, only their times and senders are not. */
const RECENT_ROWS = 30_000;
/** How many seqs back every settlement keeps a time of its own. Older ones of a minute may be one: too long in a window, never too short. */
const EXACT_SEQS = 1_024;

/** What was settled in the last hour, for each who is counted apart. */
export interface RecentSpend {
  /** The latest moment at which anything else can have settled. */
  readonly earlierUntilMs: number;
  /** By the key's id. */
  readonly keys: Spenders;
  /** By end user; requests without one have an empty name. */
  readonly users: Spenders;
  /** By sender; requests without one have an empty name. */
  readonly senders: Spenders;
}

type Row = readonly [seq: number, atMs: number, cost: number, ...spender: SpenderColumns];

/** Reads it. Times are ledger time. */
export function recentSpend(db: Database, checkpoint: Checkpoint, workspaces: Workspaces, nowMs: number): RecentSpend {
  const hourSeq = recentSeq(db, 'settlements', nowMs, 0);
  // More than these are not read one by one.
  const [[leastSeq] = [null]] = valuesOf<[seq: number]>(
    db,
    `SELECT seq FROM settlements WHERE seq >= ? ORDER BY seq DESC LIMIT 1 OFFSET ${RECENT_ROWS}`,
    hourSeq,
  );
  const rows = valuesOf<Row>(
    db,
    `SELECT s.seq, s.at_ms, ${hasCorrections(db) ? COST_IN_FORCE : 's.cost_nano_usd'},
     d.project_id, d.key_id, d.test, d.end_user, d.ip, d.model, d.models
     FROM settlements s JOIN decisions d ON d.seq = s.decision_seq WHERE s.seq >= ? ORDER BY s.seq`,
    leastSeq ?? hourSeq,
  );
  const earlierUntilMs = leastSeq === null ? nowMs - RECENT_MS - 1 : rows[0]![1];
  const recent = { earlierUntilMs, keys: new Spenders(), users: new Spenders(), senders: new Spenders() };
  for (const row of rows) if (row[2] > 0) count(row, recent, row[0] >= checkpoint.lastSeq - EXACT_SEQS, workspaces);
  return recent;
}

function count(row: Row, { keys, users, senders }: RecentSpend, isExact: boolean, workspaces: Workspaces): void {
  const [, atMs, costNanoUsd, ...spender] = row;
  const { who, label } = spenderOf(spender, workspaces);
  const spend = { who, label, costNanoUsd, atMs };
  keys.add(spend, String(who.keyId), isExact);
  users.add(spend, who.endUser ?? '', isExact);
  senders.add(spend, who.sender ?? '', isExact);
}

function hasCorrections(db: Database): boolean {
  return valuesOf(db, 'SELECT 1 FROM corrections LIMIT 1').length > 0;
}
