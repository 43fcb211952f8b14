/** The columns of the sums: those in force and those that pruned rows left are of one shape, so that one can be taken off the other. */
import { integer, text } from 'drizzle-orm/sqlite-core';

/** What a row of usage is counted under, and what is counted. */
export const rollupColumns = () => ({
  hourMs: integer('hour_ms').notNull(),
  projectId: integer('project_id').notNull(),
  keyId: integer('key_id').notNull(),
  test: integer('test').notNull(),
  model: text('model').notNull(),
  country: text('country').notNull(),
  reason: text('reason').notNull(),
  requests: integer('requests').notNull(),
  inputTokens: integer('input_tokens').notNull(),
  cachedInputTokens: integer('cached_input_tokens').notNull(),
  outputTokens: integer('output_tokens').notNull(),
  costNanoUsd: integer('cost_nano_usd').notNull(),
});

/** What a balance is kept under, and what it holds. */
export const balanceColumns = () => ({
  scope: text('scope', { enum: ['user', 'workspace'] }).notNull(),
  scopeId: text('scope_id').notNull(),
  test: integer('test').notNull(),
  periodStartMs: integer('period_start_ms').notNull(),
  model: text('model').notNull(),
  settledNanoUsd: integer('settled_nano_usd').notNull(),
  requests: integer('requests').notNull(),
  credits: integer('credits').notNull(),
});
