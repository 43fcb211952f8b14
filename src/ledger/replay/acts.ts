import type { Database } from 'bun:sqlite';
import type { NanoUsd } from '../../domain/money.ts';
import type { Plan, Workspace } from '../../domain/project.ts';
import type { Belonging } from '../../domain/state.ts';
import { labelOf, type ModelColumns } from '../sqlite/label.ts';
import { BELONGING_COLUMNS, belongingOfRow, type BelongingRow } from '../sqlite/recover-windows.ts';
import type { Owner } from '../store.ts';
import type { Span } from './span.ts';

/** The volume of a plan. */
export interface Capacity {
  readonly plan: Plan;
  readonly includedRequests: number | null;
}

/** What operators did that changes how requests are judged, apart from policies: they are named in each decision. */
export type Act =
  | { readonly kind: 'switch'; readonly seq: number; readonly owner: Owner; readonly enabled: boolean }
  | { readonly kind: 'credits'; readonly seq: number; readonly atMs: number; readonly requests: number }
  | { readonly kind: 'plan'; readonly seq: number; readonly capacity: Capacity }
  | {
      readonly kind: 'correction';
      readonly seq: number;
      readonly decisionSeq: number;
      readonly who: Belonging;
      readonly label: string;
      /** New cost less the cost that counted before. */
      readonly deltaNanoUsd: NanoUsd;
      readonly settledAtMs: number;
    };

/** A stored version of a policy: its seq, and its document as JSON text. */
export interface StoredDocument {
  readonly seq: number;
  readonly document: string;
}

/** Every version of the policies of a project and of its workspace, oldest first. */
export interface StoredDocuments {
  readonly project: readonly StoredDocument[];
  readonly workspace: readonly StoredDocument[];
}

/** Reads every version of both policies. */
export function storedDocuments(db: Database, workspaceId: number, projectId: number): StoredDocuments {
  const of = (column: string, id: number) =>
    all<StoredDocument>(db, `SELECT seq, document FROM policies WHERE ${column} = ? ORDER BY seq`, [id]);
  return { project: of('project_id', projectId), workspace: of('workspace_id', workspaceId) };
}

/** What operators did within the span, in the order of seq. */
export function actsWithin(db: Database, span: Span, workspace: Workspace, projectId: number): Act[] {
  const acts = [
    ...switchesBefore(db, span.toSeq, workspace.id, projectId).filter(({ seq }) => seq >= span.fromSeq),
    ...credits(db, span, workspace.id),
    ...planChanges(db, span, workspace).map(({ seq, after }): Act => ({ kind: 'plan', seq, capacity: after })),
    ...corrections(db, span, workspace.id),
  ];
  return acts.sort((one, other) => one.seq - other.seq);
}

/** Every turn of the project's and its workspace's switch before a seq, oldest first. */
export function switchesBefore(db: Database, toSeq: number, workspaceId: number, projectId: number): (Act & { kind: 'switch' })[] {
  const sql = `SELECT seq, project_id AS projectId, enabled FROM sentry_switches
    WHERE seq < ? AND (project_id = ? OR workspace_id = ?) ORDER BY seq`;
  const rows = all<{ seq: number; projectId: number | null; enabled: number }>(db, sql, [toSeq, projectId, workspaceId]);
  return rows.map((row) => ({
    kind: 'switch',
    seq: row.seq,
    owner: row.projectId === null ? { workspaceId } : { projectId: row.projectId },
    enabled: row.enabled === 1,
  }));
}

/** The plan that the span began with: what the first change since then found, or the plan of today. */
export function capacityAt(db: Database, span: Span, workspace: Workspace): Capacity {
  const [first] = planChanges(db, { ...span, toSeq: Number.MAX_SAFE_INTEGER }, workspace);
  return first?.before ?? { plan: workspace.plan, includedRequests: workspace.includedRequests };
}

function credits(db: Database, span: Span, workspaceId: number): Act[] {
  const sql = 'SELECT seq, at_ms AS atMs, requests FROM credit_entries WHERE seq >= ? AND seq < ? AND workspace_id = ? ORDER BY seq';
  const rows = all<{ seq: number; atMs: number; requests: number }>(db, sql, [span.fromSeq, span.toSeq, workspaceId]);
  return rows.map((row) => ({ kind: 'credits', ...row }));
}

interface PlanChange {
  readonly seq: number;
  readonly before: Capacity;
  readonly after: Capacity;
}

/** A plan has no rows of its own: its changes stand in the audit trail. */
function planChanges(db: Database, span: Span, workspace: Workspace): PlanChange[] {
  const sql = `SELECT seq, detail FROM audit_events WHERE subject = ? AND action = 'workspace.update' AND seq >= ? AND seq < ? ORDER BY seq`;
  const rows = all<{ seq: number; detail: string }>(db, sql, [workspace.publicId, span.fromSeq, span.toSeq]);
  return rows.map(({ seq, detail }) => ({ seq, ...(JSON.parse(detail) as { before: Capacity; after: Capacity }) }));
}

type CorrectionRow = BelongingRow &
  ModelColumns & {
    readonly seq: number;
    readonly decisionSeq: number;
    readonly cost: number;
    readonly before: number;
    readonly settledAtMs: number;
  };

function corrections(db: Database, span: Span, workspaceId: number): Act[] {
  const sql = `SELECT c.seq, c.decision_seq AS decisionSeq, d.model, d.models, c.cost_nano_usd AS cost, s.at_ms AS settledAtMs,
    coalesce((SELECT e.cost_nano_usd FROM corrections e WHERE e.decision_seq = c.decision_seq AND e.seq < c.seq ORDER BY e.seq DESC LIMIT 1),
    s.cost_nano_usd) AS before, ${BELONGING_COLUMNS}
    FROM corrections c JOIN settlements s ON s.decision_seq = c.decision_seq JOIN decisions d ON d.seq = c.decision_seq
    JOIN projects p ON p.id = d.project_id WHERE c.seq >= ? AND c.seq < ? AND p.workspace_id = ? ORDER BY c.seq`;
  return all<CorrectionRow>(db, sql, [span.fromSeq, span.toSeq, workspaceId]).map((row) => ({
    kind: 'correction',
    seq: row.seq,
    decisionSeq: row.decisionSeq,
    who: belongingOfRow(row),
    label: labelOf(row),
    deltaNanoUsd: row.cost - row.before,
    settledAtMs: row.settledAtMs,
  }));
}

/** All rows of a statement that is used once. */
export function all<Row>(db: Database, sql: string, bindings: (number | string)[]): Row[] {
  const statement = db.prepare<Row, (number | string)[]>(sql);
  const rows = statement.all(...bindings);
  statement.finalize();
  return rows;
}
