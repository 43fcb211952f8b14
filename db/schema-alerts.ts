/** The tables of alerts: what to watch, and the outbox of what is to be told. Part of `schema.ts`. */
import { sql } from 'drizzle-orm';
import { blob, check, index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { projects, workspaces } from './schema.ts';

export const alerts = sqliteTable(
  'alerts',
  {
    id: integer('id').primaryKey(),
    publicId: text('public_id').notNull().unique(),
    workspaceId: integer('workspace_id')
      .references(() => workspaces.id)
      .notNull(),
    projectId: integer('project_id').references(() => projects.id),
    /** JSON: what to watch, the thresholds, the format and the host of the webhook. Holds no secret. */
    definition: text('definition').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
    deletedAtMs: integer('deleted_at_ms'),
    /** The whole webhook URL, sealed with the master key for `alert:ID:url`. Null once the alert is removed. */
    sealedUrl: blob('sealed_url', { mode: 'buffer' }),
    /** The signing secret, sealed for `alert:ID:secret`. Null for formats without a signature, and once the alert is removed. */
    sealedSecret: blob('sealed_secret', { mode: 'buffer' }),
  },
  (table) => [check('alerts_definition', sql`json_valid(${table.definition})`)],
);

/** The outbox: one row for each event that one alert tells. */
export const alertDeliveries = sqliteTable(
  'alert_deliveries',
  {
    id: integer('id').primaryKey(),
    /** `evt_...`: the receiver gets it as `panicly-event-id`. */
    publicId: text('public_id').notNull().unique(),
    alertId: integer('alert_id')
      .notNull()
      .references(() => alerts.id),
    /** What makes the event the same event, also after a restart: `budget prj_... day 10.00 80 2026-11-22`. */
    dedupeKey: text('dedupe_key').notNull(),
    type: text('type').notNull(),
    /** The public id of what it is about. */
    subject: text('subject').notNull(),
    /** JSON as the generic format sends it. */
    payload: text('payload').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
    state: text('state', { enum: ['pending', 'delivered', 'failed'] }).notNull(),
    attempts: integer('attempts').notNull(),
    /** Of a pending one. */
    nextAttemptAtMs: integer('next_attempt_at_ms'),
    /** A short code such as `http_500` or `timeout`; never an address or a text of the receiver. */
    lastError: text('last_error'),
  },
  (table) => [
    uniqueIndex('alert_deliveries_once').on(table.alertId, table.dedupeKey),
    index('alert_deliveries_due')
      .on(table.nextAttemptAtMs)
      .where(sql`state = 'pending'`),
    check('alert_deliveries_state', sql`${table.state} IN ('pending', 'delivered', 'failed')`),
    check('alert_deliveries_due_when_pending', sql`(${table.state} = 'pending') = (${table.nextAttemptAtMs} IS NOT NULL)`),
    check('alert_deliveries_payload', sql`json_valid(${table.payload})`),
  ],
);
