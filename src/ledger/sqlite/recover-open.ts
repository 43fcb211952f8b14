import type { Database } from 'bun:sqlite';
import type { RestoredHold } from '../state/restore.ts';
import { DRAWS, valueOf } from './codes.ts';
import type { Checkpoint } from './protocol.ts';
import { spenderOf, valuesOf, type SpenderColumns, type Workspaces } from './recover-windows.ts';

const OPEN = `SELECT d.seq, d.at_ms, CAST(d.fingerprint AS TEXT), d.hold_nano_usd, d.draws,
  d.project_id, d.key_id, d.test, d.end_user, d.ip, d.model, d.models
  FROM decisions d LEFT JOIN settlements s ON s.decision_seq = d.seq
  WHERE d.seq >= ? AND d.reason IS NULL AND s.seq IS NULL ORDER BY d.seq`;

type OpenRow = [seq: number, atMs: number, fingerprint: string, holdNanoUsd: number, draws: number, ...spender: SpenderColumns];

/** Allowed decisions without a settlement, oldest first: what was in flight when the process ended. */
export function openHolds(db: Database, checkpoint: Checkpoint, workspaces: Workspaces): RestoredHold[] {
  return valuesOf<OpenRow>(db, OPEN, checkpoint.lowestOpenSeq).map((row) => holdOf(row, workspaces));
}

function holdOf(row: OpenRow, workspaces: Workspaces): RestoredHold {
  const [seq, atMs, fingerprint, holdNanoUsd, draws, ...spender] = row;
  return {
    seq,
    atMs,
    ...spenderOf(spender, workspaces),
    fingerprint: BigInt.asUintN(64, BigInt(fingerprint)),
    holdNanoUsd,
    draws: valueOf(DRAWS, draws),
  };
}
