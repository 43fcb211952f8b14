import { and, inArray, isNull, max } from 'drizzle-orm';
import type { BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite';
import * as schema from '../../../db/schema.ts';
import type { DirectorySnapshot, PolicyVersion, PriceOverride, SentrySwitch } from '../store.ts';
import { toAlert, toConnection, toKey, toOperator, toProject, toWorkspace } from './records.ts';

const { workspaces, projects, apiKeys, providerConnections, policies, sentrySwitches, operators, priceOverrides, alerts } = schema;

/** Everything that exists, as the newest rows have it. */
export function loadDirectory(db: BunSQLiteDatabase): DirectorySnapshot {
  const living = db.select().from(projects).where(isNull(projects.deletedAtMs)).all();
  const ids = db.select({ id: projects.id }).from(projects).where(isNull(projects.deletedAtMs));
  const connections = db
    .select()
    .from(providerConnections)
    .where(and(isNull(providerConnections.deletedAtMs), inArray(providerConnections.projectId, ids)))
    .orderBy(providerConnections.id)
    .all();
  return {
    workspaces: db.select().from(workspaces).all().map(toWorkspace),
    projects: living.map(toProject),
    keys: db.select().from(apiKeys).where(inArray(apiKeys.projectId, ids)).all().map(toKey),
    connections: connections.map(toConnection),
    policies: currentPolicies(db),
    switches: currentSwitches(db),
    operators: db.select().from(operators).where(isNull(operators.deletedAtMs)).all().map(toOperator),
    prices: currentPrices(db),
    alerts: db.select().from(alerts).where(isNull(alerts.deletedAtMs)).all().map(toAlert),
  };
}

function currentPolicies(db: BunSQLiteDatabase): PolicyVersion[] {
  const newest = db
    .select({ seq: max(policies.seq).as('newest') })
    .from(policies)
    .groupBy(policies.workspaceId, policies.projectId);
  return db.select().from(policies).where(inArray(policies.seq, newest)).orderBy(policies.seq).all();
}

function currentSwitches(db: BunSQLiteDatabase): SentrySwitch[] {
  const newest = db
    .select({ seq: max(sentrySwitches.seq).as('newest') })
    .from(sentrySwitches)
    .groupBy(sentrySwitches.workspaceId, sentrySwitches.projectId);
  return db.select().from(sentrySwitches).where(inArray(sentrySwitches.seq, newest)).orderBy(sentrySwitches.seq).all();
}

function currentPrices(db: BunSQLiteDatabase): PriceOverride[] {
  const newest = db
    .select({ seq: max(priceOverrides.seq).as('newest') })
    .from(priceOverrides)
    .groupBy(priceOverrides.provider, priceOverrides.model);
  const rows = db.select().from(priceOverrides).where(inArray(priceOverrides.seq, newest)).orderBy(priceOverrides.seq).all();
  return rows.filter(({ price }) => price !== null);
}
