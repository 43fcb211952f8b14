import type { BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite';
import { loadDirectory } from './queries-directory.ts';
import { getDecision, listAudit, listCredits, listDecisions, listPolicies, projectOfResponse } from './queries-lists.ts';
import { usage } from './queries-usage.ts';
import { verify } from './queries-verify.ts';

/** What the reader Worker answers, by name. Each takes one argument that can be sent between threads. */
export const queries = {
  loadDirectory,
  listDecisions,
  getDecision,
  projectOfResponse,
  usage,
  listAudit,
  listPolicies,
  listCredits,
  verify,
} satisfies Record<string, (db: BunSQLiteDatabase, args: never) => unknown>;

export type Queries = typeof queries;
export type QueryName = keyof Queries;

/** What a query takes. */
export type QueryArgs<Name extends QueryName> = Parameters<Queries[Name]>[1];

/** What a query gives. */
export type QueryResult<Name extends QueryName> = ReturnType<Queries[Name]>;
