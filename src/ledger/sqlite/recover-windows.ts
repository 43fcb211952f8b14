import type { Database } from 'bun:sqlite';
import { drizzle } from 'drizzle-orm/bun-sqlite';
import { decisions, type settlements } from '../../../db/schema.ts';
import { senderGroup } from '../../domain/belonging.ts';
import type { Belonging } from '../../domain/state.ts';
import type { LedgerState } from '../state.ts';
import type { Checkpoint } from './protocol.ts';
import { firstSeqFrom } from './time-search.ts';

/** How far back single rows are read: no window of requests is longer. */
export const RECENT_MS = 3_600_000;
/** How many seqs back at most, so that a start is quick after a busy hour: a request takes two. */
const RECENT_ADMISSION_SEQS = 200_000;
/** The same for settlements: their sums are known without them, only their exact times and senders are not. */
export const RECENT_SETTLEMENT_SEQS = 60_000;

/** Who a row belongs to, as SQL gives it. */
export interface BelongingRow {
  readonly test: number;
  readonly workspaceId: number;
  readonly projectId: number;
  readonly keyId: number;
  readonly endUser: string | null;
  readonly ip: string | null;
}

/** The columns of a `BelongingRow`, for decisions `d` and projects `p`. */
export const BELONGING_COLUMNS =
  'd.test, p.workspace_id AS workspaceId, d.project_id AS projectId, d.key_id AS keyId, d.end_user AS endUser, d.ip';

/** Who a row belongs to: what `belongingOf` says of its candidate. */
export function belongingOfRow(row: BelongingRow): Belonging {
  return {
    environmentTest: row.test === 1,
    workspaceId: row.workspaceId,
    projectId: row.projectId,
    keyId: row.keyId,
    endUser: row.endUser,
    sender: row.ip === null ? null : senderGroup(row.ip),
  };
}

/** The first seq of `table` that is read row by row. */
export function recentSeq(db: Database, table: typeof decisions | typeof settlements, nowMs: number, leastSeq: number): number {
  return Math.max(firstSeqFrom(drizzle(db), table, nowMs - RECENT_MS), leastSeq);
}

/** Counts the admissions of the last hour in their windows, in their order. */
export function restoreAdmissions(db: Database, memory: LedgerState, checkpoint: Checkpoint, nowMs: number): void {
  const admissions = db.prepare<BelongingRow & { atMs: number; fingerprint: string }, [number]>(
    `SELECT d.at_ms AS atMs, CAST(d.fingerprint AS TEXT) AS fingerprint, ${BELONGING_COLUMNS}
     FROM decisions d JOIN projects p ON p.id = d.project_id WHERE d.seq >= ? AND d.reason IS NULL ORDER BY d.seq`,
  );
  const fromSeq = recentSeq(db, decisions, nowMs, checkpoint.lastSeq - RECENT_ADMISSION_SEQS);
  for (const row of admissions.iterate(fromSeq)) {
    const fingerprint = BigInt.asUintN(64, BigInt(row.fingerprint));
    memory.restoreAdmitted({ who: belongingOfRow(row), fingerprint, atMs: row.atMs });
  }
  admissions.finalize();
}
