/** Writes many steps of an operator in one transaction: a command of the writer, see `commands.ts`. */
import { eq, max } from 'drizzle-orm';
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core';
import type { BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite';
import * as schema from '../../../db/schema.ts';
import type { AppliedSteps, ApplyRequest, ApplyStep, NamedOwner, StepResult } from '../apply-store.ts';
import type { Owner } from '../store.ts';
import { commands, writeAudit, type CommandContext } from './commands.ts';
import { toAlert } from './records.ts';

/** Each step takes one seq for its row and one for its audit event. */
const SEQS_PER_STEP = 2;

/** How many seqs a request takes, with its summary. */
export function seqsOfSteps({ steps }: ApplyRequest): number {
  return steps.length * SEQS_PER_STEP + 1;
}

/** What was written, or the word for nothing done: somebody wrote since the steps were planned. */
export type ApplyOutcome = AppliedSteps | 'stale';

export function applySteps(context: CommandContext, request: ApplyRequest): ApplyOutcome {
  if (newestAuditSeq(context.db) !== request.basisSeq) return 'stale';
  const results = request.steps.map(({ step, audit }, index) => {
    const own = { ...context, seq: context.seq + index * SEQS_PER_STEP };
    const result = written(own, step);
    writeAudit({ ...own, seq: own.seq + 1 }, audit);
    return result;
  });
  const auditSeq = context.seq + seqsOfSteps(request) - 1;
  writeAudit({ ...context, seq: auditSeq }, request.summary);
  return { results, auditSeq };
}

function written(context: CommandContext, step: ApplyStep): StepResult {
  const { db } = context;
  switch (step.do) {
    case 'createWorkspace':
      return { kind: 'workspace', workspace: commands.createWorkspace(context, step.workspace) };
    case 'updateWorkspace':
      return { kind: 'workspace', workspace: there(commands.updateWorkspace(context, step)) };
    case 'createProject': {
      const workspaceId = idOf(db, schema.workspaces, step.workspace);
      return { kind: 'project', project: commands.createProject(context, { ...step.project, workspaceId, lineageId: null }) };
    }
    case 'deleteProject':
      commands.deleteProject(context, step.id);
      return { kind: 'deleted', what: 'project', id: step.id };
    case 'savePolicy':
      return { kind: 'policy', policy: commands.savePolicy(context, { ...step, owner: ownerOf(db, step.owner) }) };
    case 'setPrice': {
      const { provider, model, price, author } = step;
      return { kind: 'price', price: commands.setPrice(context, { provider, model, price, author }) };
    }
    default:
      return ofConnectionOrAlert(context, step);
  }
}

type ConnectionOrAlertStep = Extract<
  ApplyStep,
  { do: 'createConnection' | 'updateConnection' | 'deleteConnection' | 'createAlert' | 'updateAlert' | 'deleteAlert' }
>;

function ofConnectionOrAlert(context: CommandContext, step: ConnectionOrAlertStep): StepResult {
  const { db } = context;
  switch (step.do) {
    case 'createConnection': {
      const projectId = idOf(db, schema.projects, step.project);
      return { kind: 'connection', connection: commands.createConnection(context, { ...step.connection, projectId }) };
    }
    case 'updateConnection':
      return { kind: 'connection', connection: there(commands.updateConnection(context, step)) };
    case 'deleteConnection':
      commands.deleteConnection(context, step.id);
      return { kind: 'deleted', what: 'connection', id: step.id };
    case 'createAlert': {
      const { workspace, project, ...alert } = step.alert;
      const workspaceId = idOf(db, schema.workspaces, workspace);
      const projectId = project === null ? null : idOf(db, schema.projects, project);
      return { kind: 'alert', alert: commands.createAlert(context, { ...alert, workspaceId, projectId }) };
    }
    case 'updateAlert':
      return { kind: 'alert', alert: updateAlert(context, step) };
    default:
      commands.deleteAlert(context, step.id);
      return { kind: 'deleted', what: 'alert', id: step.id };
  }
}

function updateAlert({ db }: CommandContext, { id, change }: Extract<ApplyStep, { do: 'updateAlert' }>) {
  const { definition, sealedUrl, sealedSecret } = change;
  const sealed = {
    ...(sealedUrl === undefined ? {} : { sealedUrl: Buffer.from(sealedUrl) }),
    ...(sealedSecret === undefined ? {} : { sealedSecret: sealedSecret === null ? null : Buffer.from(sealedSecret) }),
  };
  const set = { definition, ...sealed };
  return toAlert(there(db.update(schema.alerts).set(set).where(eq(schema.alerts.id, id)).returning().get()));
}

function newestAuditSeq(db: BunSQLiteDatabase): number {
  return (
    db
      .select({ seq: max(schema.auditEvents.seq) })
      .from(schema.auditEvents)
      .get()?.seq ?? 0
  );
}

function ownerOf(db: BunSQLiteDatabase, owner: NamedOwner): Owner {
  if ('workspace' in owner) return { workspaceId: idOf(db, schema.workspaces, owner.workspace) };
  return { projectId: idOf(db, schema.projects, owner.project) };
}

function idOf(db: BunSQLiteDatabase, table: typeof schema.workspaces | typeof schema.projects, publicId: string): number {
  const column: SQLiteColumn = table.publicId;
  return there(db.select({ id: table.id }).from(table).where(eq(column, publicId)).get()).id;
}

/** Nobody wrote since the plan was made, so what it names exists. */
function there<Row>(row: Row | null | undefined): Row {
  if (row === null || row === undefined) throw new Error('a step of a configuration names what does not exist');
  return row;
}
