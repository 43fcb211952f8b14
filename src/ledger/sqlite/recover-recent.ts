import type { Database } from 'bun:sqlite';
import type { Belonging } from '../../domain/state.ts';
import type { RestoredSpend } from '../state/restore.ts';
import { COST_IN_FORCE } from './corrections.ts';
import type { Checkpoint } from './protocol.ts';
import { RECENT_MS, recentSeq, spenderOf, valuesOf, type SpenderColumns, type Workspaces } from './recover-windows.ts';

/** How many settlements are read at most: their sums are known without them, only their times and senders are not. */
const RECENT_ROWS = 30_000;
/** How many seqs back every settlement keeps a time of its own. Older ones of a minute may be one: too long in a window, never too short. */
const EXACT_SEQS = 1_024;
const MINUTE_MS = 60_000;

/** What was settled in the last hour. */
export interface RecentSpend {
  /** The latest moment at which anything else can have settled. */
  readonly earlierUntilMs: number;
  /** In the order of time. What one sender settled with equal models within a minute may be one amount, at its latest moment. */
  readonly spends: readonly RestoredSpend[];
}

/** Rows that are equal in all but their time and cost. */
interface Stream {
  readonly who: Belonging;
  readonly label: string;
  newest: { -readonly [Member in keyof RestoredSpend]: RestoredSpend[Member] } | null;
}

/** Reads it. Times are ledger time. */
export function recentSpend(db: Database, checkpoint: Checkpoint, workspaces: Workspaces, nowMs: number): RecentSpend {
  const hourSeq = recentSeq(db, 'settlements', nowMs, 0);
  // More than these are not read one by one.
  const [[leastSeq] = [null]] = valuesOf<[seq: number]>(
    db,
    `SELECT seq FROM settlements WHERE seq >= ? ORDER BY seq DESC LIMIT 1 OFFSET ${RECENT_ROWS}`,
    hourSeq,
  );
  // One text for all that a row has besides time and cost: most rows repeat one that is known already.
  const rows = valuesOf<[seq: number, atMs: number, cost: number, identity: string]>(
    db,
    `SELECT s.seq, s.at_ms, ${hasCorrections(db) ? COST_IN_FORCE : 's.cost_nano_usd'},
     json_array(d.project_id, d.key_id, d.test, d.end_user, d.ip, d.model, d.models)
     FROM settlements s JOIN decisions d ON d.seq = s.decision_seq WHERE s.seq >= ? ORDER BY s.seq`,
    leastSeq ?? hourSeq,
  );
  const exactSeq = checkpoint.lastSeq - EXACT_SEQS;
  const streams = new Map<string, Stream>();
  const spends: RestoredSpend[] = [];
  for (const [seq, atMs, costNanoUsd, identity] of rows) {
    if (costNanoUsd <= 0) continue;
    let stream = streams.get(identity);
    if (stream === undefined)
      streams.set(identity, (stream = { ...spenderOf(JSON.parse(identity) as SpenderColumns, workspaces), newest: null }));
    const { newest } = stream;
    if (newest === null || seq >= exactSeq || Math.floor(newest.atMs / MINUTE_MS) !== Math.floor(atMs / MINUTE_MS)) {
      spends.push((stream.newest = { who: stream.who, label: stream.label, costNanoUsd, atMs }));
    } else {
      newest.costNanoUsd += costNanoUsd;
      newest.atMs = atMs;
    }
  }
  const earlierUntilMs = leastSeq === null ? nowMs - RECENT_MS - 1 : rows[0]![1];
  return { earlierUntilMs, spends: spends.sort((a, b) => a.atMs - b.atMs) };
}

function hasCorrections(db: Database): boolean {
  return valuesOf(db, 'SELECT 1 FROM corrections LIMIT 1').length > 0;
}
