import type { Database } from 'bun:sqlite';
import { senderGroup } from '../../domain/belonging.ts';
import type { Belonging } from '../../domain/state.ts';
import type { LedgerState } from '../state.ts';
import { labelOf } from './label.ts';
import type { Checkpoint } from './protocol.ts';

/** How far back single rows are read: no window of requests is longer. */
export const RECENT_MS = 3_600_000;
/** How many seqs back at most, so that a start is quick after a busy hour: a request takes two. */
const RECENT_ADMISSION_SEQS = 200_000;

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

/** The end user of a balance that is kept under `project:user`. Not taken apart in SQL, whose functions end a text at U+0000. */
export function endUserOf(scopeId: string): string {
  return scopeId.slice(scopeId.indexOf(':') + 1);
}

/** Every project's workspace: cheaper to look up here than to join for each row. */
export type Workspaces = ReadonlyMap<number, number>;

/** Reads them. */
export function workspacesOfProjects(db: Database): Workspaces {
  return new Map(valuesOf<[number, number]>(db, 'SELECT id, workspace_id FROM projects'));
}

/** Whose the spend of a row is, and for which models, as its columns say it. */
export type SpenderColumns = [
  projectId: number,
  keyId: number,
  test: number,
  endUser: string | null,
  ip: string | null,
  model: string,
  models: string | null,
];

/** Who spent, and the label that the spend is kept under. */
export function spenderOf(columns: SpenderColumns, workspaces: Workspaces): { readonly who: Belonging; readonly label: string } {
  const [projectId, keyId, test, endUser, ip, model, models] = columns;
  const who = belongingOfRow({ test, workspaceId: workspaces.get(projectId) ?? 0, projectId, keyId, endUser, ip });
  return { who, label: labelOf({ model, models }) };
}

/** The rows of a query as arrays of their columns. Its statement does not outlive the call. */
export function valuesOf<Columns extends readonly unknown[]>(db: Database, sql: string, ...bindings: number[]): Columns[] {
  const statement = db.prepare(sql);
  try {
    return statement.values(...bindings) as unknown[] as Columns[];
  } finally {
    statement.finalize();
  }
}

/**
 * The first seq of `table` that is read row by row: not older than an hour, and not below `leastSeq`. Ledger time never goes back along
 * seq, so this halves the range of seqs, with statements that need nothing to be warm.
 */
export function recentSeq(db: Database, table: 'decisions' | 'settlements', nowMs: number, leastSeq: number): number {
  const next = db.prepare<{ seq: number; atMs: number }, [number]>(
    `SELECT seq, at_ms AS atMs FROM ${table} WHERE seq >= ? ORDER BY seq LIMIT 1`,
  );
  const [[lastSeq] = [null]] = valuesOf<[lastSeq: number | null]>(db, `SELECT max(seq) FROM ${table}`);
  let low = Math.max(0, leastSeq);
  let high = Math.max(low, (lastSeq ?? 0) + 1);
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const row = next.get(middle);
    if (row !== null && row.atMs < nowMs - RECENT_MS) low = row.seq + 1;
    else high = middle;
  }
  next.finalize();
  return low;
}

/** Counts the admissions of the last hour in their windows, in their order. */
export function restoreAdmissions(db: Database, memory: LedgerState, checkpoint: Checkpoint, workspaces: Workspaces, nowMs: number): void {
  const fromSeq = recentSeq(db, 'decisions', nowMs, checkpoint.lastSeq - RECENT_ADMISSION_SEQS);
  // A fingerprint needs all of its 64 bits, and as text it would take twice as long.
  const admissions = db
    .prepare('SELECT at_ms, fingerprint, test, project_id, key_id FROM decisions WHERE seq >= ? AND reason IS NULL ORDER BY seq')
    .safeIntegers(true);
  const rows = admissions.values(fromSeq) as unknown[] as AdmissionRow[];
  admissions.finalize();
  let last: AdmissionRow | null = null;
  let who: Belonging | null = null;
  for (const row of rows) {
    if (who === null || last === null || row[4] !== last[4] || row[3] !== last[3] || row[2] !== last[2]) who = whoAdmitted(row, workspaces);
    last = row;
    memory.restoreAdmitted({ who, fingerprint: BigInt.asUintN(64, row[1]), atMs: Number(row[0]) });
  }
}

type AdmissionRow = [atMs: bigint, fingerprint: bigint, test: bigint, projectId: bigint, keyId: bigint];

/** Windows are counted by key and project alone. */
function whoAdmitted([, , test, project, key]: AdmissionRow, workspaces: Workspaces): Belonging {
  const projectId = Number(project);
  const workspaceId = workspaces.get(projectId) ?? 0;
  return belongingOfRow({ test: Number(test), workspaceId, projectId, keyId: Number(key), endUser: null, ip: null });
}
