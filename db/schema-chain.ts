/**
 * The tables that prove the ledger and that stay when its old rows are pruned; `db/README.md` tells what they mean.
 */
import { sql } from 'drizzle-orm';
import { blob, check, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { balanceColumns, rollupColumns } from './sum-columns.ts';

/** One row: the key of the chain, sealed with a key that is made from the master key. See `src/ledger/sqlite/chain/key.ts`. */
export const chainKeys = sqliteTable(
  'chain_keys',
  {
    id: integer('id').primaryKey(),
    sealed: blob('sealed', { mode: 'buffer' }).notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
  },
  (table) => [check('chain_keys_one', sql`${table.id} = 1`)],
);

/** One row for each transaction that wrote rows with a seq. See `src/ledger/sqlite/chain/links.ts`. */
export const chainLinks = sqliteTable(
  'chain_links',
  {
    link: integer('link').primaryKey(),
    /** The greatest seq in this link and all before it. */
    lastSeq: integer('last_seq').notNull(),
    atMs: integer('at_ms').notNull(),
    /** For each row its table, seq and digest. */
    entries: blob('entries', { mode: 'buffer' }).notNull(),
    /** Which of the rows were pruned: a bit for each, and what proves that; null while none is. */
    pruned: blob('pruned', { mode: 'buffer' }),
    prunedMac: blob('pruned_mac', { mode: 'buffer' }),
    mac: blob('mac', { mode: 'buffer' }).notNull(),
  },
  (table) => [
    check('chain_links_mac', sql`length(${table.mac}) = 32`),
    check('chain_links_pruned', sql`(${table.pruned} IS NULL) = (${table.prunedMac} IS NULL)`),
  ],
);

/** What stands for links that are not there: those of which all rows were pruned. The one at 0 is where the chain begins. */
export const chainAnchors = sqliteTable(
  'chain_anchors',
  {
    firstLink: integer('first_link').primaryKey(),
    lastLink: integer('last_link').notNull(),
    lastSeq: integer('last_seq').notNull(),
    atMs: integer('at_ms').notNull(),
    /** The mac of the link before, and of the last one that it stands for. */
    before: blob('before', { mode: 'buffer' }).notNull(),
    after: blob('after', { mode: 'buffer' }).notNull(),
    mac: blob('mac', { mode: 'buffer' }).notNull(),
  },
  (table) => [check('chain_anchors_range', sql`${table.lastLink} >= ${table.firstLink}`)],
);

/** A step of pruning: how many rows went, and the digest of the sums that stay of them. */
export const prunings = sqliteTable(
  'prunings',
  {
    seq: integer('seq').primaryKey(),
    atMs: integer('at_ms').notNull(),
    /** Nothing from this seq on was pruned. */
    beforeSeq: integer('before_seq').notNull(),
    decisions: integer('decisions').notNull(),
    settlements: integer('settlements').notNull(),
    corrections: integer('corrections').notNull(),
    archivedSha256: text('archived_sha256').notNull(),
  },
  (table) => [check('prunings_sha256', sql`length(${table.archivedSha256}) = 64`)],
);

/** What pruned rows had added to `usage_rollups`, by the step that pruned them. */
export const archivedRollups = sqliteTable(
  'archived_rollups',
  {
    pruningSeq: integer('pruning_seq').notNull(),
    ...rollupColumns(),
  },
  (table) => [
    primaryKey({
      columns: [table.pruningSeq, table.hourMs, table.projectId, table.keyId, table.test, table.model, table.country, table.reason],
    }),
  ],
);

/** What pruned rows had added to `balances`, by the step that pruned them. */
export const archivedBalances = sqliteTable(
  'archived_balances',
  {
    pruningSeq: integer('pruning_seq').notNull(),
    ...balanceColumns(),
  },
  (table) => [primaryKey({ columns: [table.pruningSeq, table.scope, table.scopeId, table.test, table.periodStartMs, table.model] })],
);

/** What pruned settlements of live keys had been unsure of, and by how much corrections had changed them, by the step that pruned them. */
export const archivedDoubts = sqliteTable(
  'archived_doubts',
  {
    pruningSeq: integer('pruning_seq').notNull(),
    /** When it settled. */
    hourMs: integer('hour_ms').notNull(),
    projectId: integer('project_id').notNull(),
    kind: text('kind', { enum: ['estimated', 'held', 'corrected'] }).notNull(),
    requests: integer('requests').notNull(),
    /** What they cost; of corrected ones what the last correction added, below 0 where money was freed. */
    costNanoUsd: integer('cost_nano_usd').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.pruningSeq, table.hourMs, table.projectId, table.kind] }),
    check('archived_doubts_kind', sql`${table.kind} IN ('estimated', 'held', 'corrected')`),
  ],
);
