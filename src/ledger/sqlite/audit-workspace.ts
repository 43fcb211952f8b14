/** Which workspace an audit event belongs to, found from its subject: so that no writer of an event can forget to say it. */
import { eq, type SQL } from 'drizzle-orm';
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core';
import type { BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite';
import * as schema from '../../../db/schema.ts';
import { parseDecisionId } from '../../domain/ids.ts';

const { workspaces, projects, apiKeys, providerConnections, operators, alerts, decisions } = schema;

type Find = (db: BunSQLiteDatabase, subject: string) => number | null;

/** By the prefix of the subject's public id. What is not in here belongs to the installation: bound operators never see it. */
const FINDERS: Readonly<Record<string, Find>> = {
  wsp: (db, id) => db.select({ id: workspaces.id }).from(workspaces).where(eq(workspaces.publicId, id)).get()?.id ?? null,
  prj: (db, id) => ofProject(db, eq(projects.publicId, id)),
  key: (db, id) => throughProject(db, apiKeys, eq(apiKeys.publicId, id)),
  con: (db, id) => throughProject(db, providerConnections, eq(providerConnections.publicId, id)),
  opr: (db, id) => db.select({ id: operators.workspaceId }).from(operators).where(eq(operators.publicId, id)).get()?.id ?? null,
  alr: (db, id) => db.select({ id: alerts.workspaceId }).from(alerts).where(eq(alerts.publicId, id)).get()?.id ?? null,
  dec: (db, id) => {
    const parsed = parseDecisionId(id);
    return parsed && throughProject(db, decisions, eq(decisions.seq, parsed.seq));
  },
};

/** The workspace of the subject as it stands in this transaction, or null when it is of the whole installation. */
export function workspaceOfSubject(db: BunSQLiteDatabase, subject: string): number | null {
  const prefix = subject.slice(0, 3);
  return subject[3] === '_' && Object.hasOwn(FINDERS, prefix) ? FINDERS[prefix]!(db, subject) : null;
}

function ofProject(db: BunSQLiteDatabase, where: SQL): number | null {
  return db.select({ id: projects.workspaceId }).from(projects).where(where).get()?.id ?? null;
}

type OfProject = typeof apiKeys | typeof providerConnections | typeof decisions;

function throughProject(db: BunSQLiteDatabase, table: OfProject, where: SQL): number | null {
  const projectId: SQLiteColumn = table.projectId;
  return db.select({ id: projects.workspaceId }).from(table).innerJoin(projects, eq(projects.id, projectId)).where(where).get()?.id ?? null;
}
