/** Pruning: old decisions with their settlements and corrections go, what they added to the sums stays. */
import type { Database } from 'bun:sqlite';
import { archiveDigest, archiveSums } from '../archive.ts';
import { markPruned } from '../chain/marks.ts';
import { runOnce } from '../chain/statements.ts';
import type { CommandContext } from '../commands.ts';
import type { PrunedStep, PruneStep } from '../../keep-store.ts';
import { pick, type Picked } from './pick.ts';

/** A step of pruning. One transaction, short enough for admissions to wait for it. */
export function prune({ file, chainKey, seq, atMs }: CommandContext, step: PruneStep): PrunedStep {
  const picked = pick(file, step);
  const { decisions, settlements, corrections, next } = picked;
  if (decisions.length > 0) take(file, chainKey, picked, { seq, atMs, beforeSeq: step.beforeSeq });
  return { decisions: decisions.length, settlements: settlements.length, corrections: corrections.length, next };
}

function take(
  db: Database,
  chainKey: Uint8Array,
  { decisions, settlements, corrections, links }: Picked,
  { seq, atMs, beforeSeq }: { readonly seq: number; readonly atMs: number; readonly beforeSeq: number },
): void {
  // While the rows are there: only what the chain proves may go, and leave its sums.
  markPruned(db, chainKey, [...decisions, ...settlements, ...corrections], links, atMs);
  archiveSums(db, seq, 'd.seq IN (SELECT value FROM json_each(?1))', JSON.stringify(decisions));
  // In this order, because the later ones name the earlier ones.
  for (const [table, seqs] of [
    ['corrections', corrections],
    ['settlements', settlements],
    ['decisions', decisions],
  ] as const)
    runOnce(db, `DELETE FROM ${table} WHERE seq IN (SELECT value FROM json_each(?))`, JSON.stringify(seqs));
  runOnce(
    db,
    'INSERT INTO prunings (seq, at_ms, before_seq, decisions, settlements, corrections, archived_sha256) VALUES (?, ?, ?, ?, ?, ?, ?)',
    seq,
    atMs,
    beforeSeq,
    decisions.length,
    settlements.length,
    corrections.length,
    archiveDigest(db, seq),
  );
}
