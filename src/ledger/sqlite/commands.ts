/**
 * What operators write. Each runs inside one transaction of the writer, with its audit event.
 * `seq` and `atMs` come from the engine, which orders these writes among decisions and settlements.
 */
import type { Database } from 'bun:sqlite';
import { and, eq, isNull, max, or } from 'drizzle-orm';
import { drizzle, type BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite';
import * as schema from '../../../db/schema.ts';
import { newPublicId } from '../../domain/ids.ts';
import type { ApiKey, Project, Workspace } from '../../domain/project.ts';
import type {
  AuditEvent,
  ConnectionChange,
  CreditEntry,
  FirstStart,
  NewConnection,
  NewKey,
  NewOperator,
  NewProject,
  NewWorkspace,
  Operator,
  Owner,
  PolicyVersion,
  PriceOverride,
  SentrySwitch,
  StoredConnection,
  WorkspaceChange,
} from '../store.ts';
import {
  createAlert,
  deleteAlert,
  deleteAlertsOfProject,
  dropDeliveries,
  fireAlerts,
  recordDeliveries,
  resealAlerts,
} from './alert-commands.ts';
import { applySteps, seqsOfSteps } from './apply-commands.ts';
import { workspaceOfSubject } from './audit-workspace.ts';
import { saveCatalogue } from './catalogue-commands.ts';
import { correct } from './corrections.ts';
import { prune } from './prune/prune.ts';
import { reseal } from './reseal.ts';
import { secretColumns, toConnection, toKey, toOperator, toProject, toWorkspace } from './records.ts';

/** What a command has to write with. */
export interface CommandContext {
  readonly db: BunSQLiteDatabase;
  /** The connection under `db`. */
  readonly file: Database;
  /** The key of the ledger's chain, for what changes links. */
  readonly chainKey: Uint8Array;
  readonly seq: number;
  readonly atMs: number;
}

/** A context on the writer's connection. */
export function commandContext(file: Database, chainKey: Uint8Array, seq: number, atMs: number): CommandContext {
  return { db: drizzle(file), file, chainKey, seq, atMs };
}

function createWorkspace({ db, atMs }: CommandContext, workspace: NewWorkspace): Workspace {
  return toWorkspace(
    db
      .insert(schema.workspaces)
      .values({ ...workspace, createdAtMs: atMs })
      .returning()
      .get(),
  );
}

function updateWorkspace({ db }: CommandContext, { id, change }: { id: number; change: WorkspaceChange }): Workspace | null {
  const row = db.update(schema.workspaces).set(change).where(eq(schema.workspaces.id, id)).returning().get();
  return row ? toWorkspace(row) : null;
}

function createProject({ db, atMs }: CommandContext, project: NewProject): Project {
  return toProject(
    db
      .insert(schema.projects)
      .values({ ...project, createdAtMs: atMs })
      .returning()
      .get(),
  );
}

function renameProject({ db }: CommandContext, { id, name }: { id: number; name: string }): Project | null {
  const row = db.update(schema.projects).set({ name }).where(livingProject(id)).returning().get();
  return row ? toProject(row) : null;
}

function deleteProject(context: CommandContext, id: number): void {
  const { db, atMs } = context;
  deleteAlertsOfProject(context, id);
  db.update(schema.projects).set({ deletedAtMs: atMs }).where(livingProject(id)).run();
  db.update(schema.apiKeys)
    .set({ revokedAtMs: atMs })
    .where(and(eq(schema.apiKeys.projectId, id), isNull(schema.apiKeys.revokedAtMs)))
    .run();
  db.update(schema.providerConnections)
    .set({ ...secretColumns({ kind: 'none' }), deletedAtMs: atMs })
    .where(and(eq(schema.providerConnections.projectId, id), isNull(schema.providerConnections.deletedAtMs)))
    .run();
}

function createKey({ db, atMs }: CommandContext, key: NewKey): ApiKey {
  return toKey(
    db
      .insert(schema.apiKeys)
      .values({ ...key, createdAtMs: atMs })
      .returning()
      .get(),
  );
}

/** Revoking twice keeps the first moment. */
function revokeKey({ db, atMs }: CommandContext, id: number): ApiKey | null {
  const { apiKeys } = schema;
  db.update(apiKeys)
    .set({ revokedAtMs: atMs })
    .where(and(eq(apiKeys.id, id), isNull(apiKeys.revokedAtMs)))
    .run();
  const row = db.select().from(apiKeys).where(eq(apiKeys.id, id)).get();
  return row ? toKey(row) : null;
}

function rotateKey(
  context: CommandContext,
  { id, key, endsAtMs }: { id: number; key: NewKey; endsAtMs: number | null },
): { fresh: ApiKey; old: ApiKey } | null {
  const { db, atMs } = context;
  const { apiKeys } = schema;
  const old = db
    .update(apiKeys)
    .set(endsAtMs === null ? { revokedAtMs: atMs } : { expiresAtMs: endsAtMs })
    .where(and(eq(apiKeys.id, id), isNull(apiKeys.revokedAtMs)))
    .returning()
    .get();
  return old ? { fresh: createKey(context, key), old: toKey(old) } : null;
}

/** For what leaves nothing but its audit event. */
function recordAudit(): void {}

function createConnection({ db, atMs }: CommandContext, { secret, ...connection }: NewConnection): StoredConnection {
  const values = { ...connection, ...secretColumns(secret), createdAtMs: atMs };
  return toConnection(db.insert(schema.providerConnections).values(values).returning().get());
}

function updateConnection({ db }: CommandContext, { id, change }: { id: number; change: ConnectionChange }): StoredConnection | null {
  const { secret, ...columns } = change;
  const set = { ...columns, ...(secret === undefined ? {} : secretColumns(secret)) };
  const row = db.update(schema.providerConnections).set(set).where(livingConnection(id)).returning().get();
  return row ? toConnection(row) : null;
}

function deleteConnection({ db, atMs }: CommandContext, id: number): void {
  const set = { ...secretColumns({ kind: 'none' }), deletedAtMs: atMs };
  db.update(schema.providerConnections).set(set).where(livingConnection(id)).run();
}

function savePolicy(context: CommandContext, args: { owner: Owner; document: string; author: string }): PolicyVersion {
  const { db, seq, atMs } = context;
  const { policies } = schema;
  const owner = ownerColumns(args.owner);
  const last = db
    .select({ version: max(policies.version) })
    .from(policies)
    .where(or(eq(policies.workspaceId, owner.workspaceId ?? 0), eq(policies.projectId, owner.projectId ?? 0)))
    .get();
  const row = { seq, ...owner, version: (last?.version ?? 0) + 1, document: args.document, author: args.author, atMs };
  return db.insert(policies).values(row).returning().get();
}

function grantCredits(context: CommandContext, args: { workspaceId: number; requests: number; note: string; author: string }): CreditEntry {
  const { db, seq, atMs } = context;
  return db
    .insert(schema.creditEntries)
    .values({ seq, ...args, atMs })
    .returning()
    .get();
}

function setSentry({ db, seq, atMs }: CommandContext, args: { owner: Owner; enabled: boolean; author: string }): SentrySwitch {
  const row = { seq, ...ownerColumns(args.owner), enabled: args.enabled, author: args.author, atMs };
  return db.insert(schema.sentrySwitches).values(row).returning().get();
}

function createOperator({ db, atMs }: CommandContext, operator: NewOperator): Operator {
  return toOperator(
    db
      .insert(schema.operators)
      .values({ ...operator, createdAtMs: atMs })
      .returning()
      .get(),
  );
}

function deleteOperator({ db, atMs }: CommandContext, id: number): void {
  db.update(schema.operators).set({ deletedAtMs: atMs }).where(eq(schema.operators.id, id)).run();
}

function setPrice(
  { db, seq, atMs }: CommandContext,
  args: { provider: string; model: string; price: string | null; author: string },
): PriceOverride {
  return db
    .insert(schema.priceOverrides)
    .values({ seq, ...args, atMs })
    .returning()
    .get();
}

function firstStart(context: CommandContext, first: FirstStart): void {
  const workspace = createWorkspace(context, first.workspace);
  const project = createProject(context, { ...first.project, workspaceId: workspace.id, lineageId: null });
  for (const key of first.keys) createKey(context, { ...key, projectId: project.id, lineageId: null });
  for (const connection of first.connections) createConnection(context, { ...connection, projectId: project.id });
  createOperator(context, first.operator);
  const { author } = first;
  savePolicy(context, { owner: { workspaceId: workspace.id }, document: first.workspacePolicy, author });
  const next = { ...context, seq: context.seq + 1 };
  savePolicy(next, { owner: { projectId: project.id }, document: first.projectPolicy, author });
}

/** Writes the audit event of a command, with a seq of its own. */
export function writeAudit({ db, seq, atMs }: CommandContext, audit: AuditEvent): void {
  const workspaceId = workspaceOfSubject(db, audit.subject);
  const row = { ...audit, seq, publicId: newPublicId('aud'), atMs, detail: JSON.stringify(audit.detail), workspaceId };
  db.insert(schema.auditEvents).values(row).run();
}

function livingProject(id: number) {
  return and(eq(schema.projects.id, id), isNull(schema.projects.deletedAtMs));
}

function livingConnection(id: number) {
  return and(eq(schema.providerConnections.id, id), isNull(schema.providerConnections.deletedAtMs));
}

function ownerColumns(owner: Owner): { workspaceId: number | null; projectId: number | null } {
  return 'workspaceId' in owner ? { workspaceId: owner.workspaceId, projectId: null } : { workspaceId: null, projectId: owner.projectId };
}

/** Every command by name. */
export const commands = {
  firstStart,
  createWorkspace,
  updateWorkspace,
  createProject,
  renameProject,
  deleteProject,
  createKey,
  revokeKey,
  rotateKey,
  recordAudit,
  correct,
  prune,
  reseal,
  createConnection,
  updateConnection,
  deleteConnection,
  savePolicy,
  grantCredits,
  setSentry,
  createOperator,
  deleteOperator,
  setPrice,
  saveCatalogue,
  createAlert,
  deleteAlert,
  fireAlerts,
  recordDeliveries,
  dropDeliveries,
  resealAlerts,
  applySteps,
};

export type Commands = typeof commands;
export type CommandName = keyof Commands;

/** What a command takes. */
export type CommandArgs<Name extends CommandName> = Parameters<Commands[Name]>[1];

/** What a command gives. */
export type CommandResult<Name extends CommandName> = ReturnType<Commands[Name]>;

/** How many seqs nearly every command may take: two for its rows, one for its audit event. */
const SEQS_PER_COMMAND = 3;

/** How many seqs a command takes. */
export function seqsOf({ name, args }: { readonly name: CommandName; readonly args: CommandArgs<CommandName> }): number {
  return name === 'applySteps' ? seqsOfSteps(args as CommandArgs<'applySteps'>) : SEQS_PER_COMMAND;
}
