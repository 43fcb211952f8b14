import type { Database } from 'bun:sqlite';
import { spendLabel } from '../../domain/belonging.ts';
import type { RestoredHold } from '../state/restore.ts';
import { DRAWS, valueOf } from './codes.ts';
import type { Checkpoint } from './protocol.ts';
import { belongingOfRow, valuesOf, type Workspaces } from './recover-windows.ts';

const OPEN = `SELECT d.seq, d.at_ms, d.project_id, d.key_id, d.test, d.end_user, d.ip, d.model, d.models,
  CAST(d.fingerprint AS TEXT), d.hold_nano_usd, d.draws
  FROM decisions d LEFT JOIN settlements s ON s.decision_seq = d.seq
  WHERE d.seq >= ? AND d.reason IS NULL AND s.seq IS NULL ORDER BY d.seq`;

type OpenRow = [
  seq: number,
  atMs: number,
  projectId: number,
  keyId: number,
  test: number,
  endUser: string | null,
  ip: string | null,
  model: string,
  models: string | null,
  fingerprint: string,
  holdNanoUsd: number,
  draws: number,
];

/** Allowed decisions without a settlement, oldest first: what was in flight when the process ended. */
export function openHolds(db: Database, checkpoint: Checkpoint, workspaces: Workspaces): RestoredHold[] {
  return valuesOf<OpenRow>(db, OPEN, checkpoint.lowestOpenSeq).map((row) => holdOf(row, workspaces));
}

function holdOf(row: OpenRow, workspaces: Workspaces): RestoredHold {
  const [seq, atMs, projectId, keyId, test, endUser, ip, model, models, fingerprint, holdNanoUsd, draws] = row;
  return {
    seq,
    atMs,
    who: belongingOfRow({ test, workspaceId: workspaces.get(projectId) ?? 0, projectId, keyId, endUser, ip }),
    label: models === null ? model : spendLabel(JSON.parse(models) as string[]),
    fingerprint: BigInt.asUintN(64, BigInt(fingerprint)),
    holdNanoUsd,
    draws: valueOf(DRAWS, draws),
  };
}
