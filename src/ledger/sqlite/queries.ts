import type { BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite';
import { deliveryCounts, dueDeliveries, listDeliveries, lookBack, newestDeliveries, settledDeliveries } from './queries-alerts.ts';
import { checkCopy, writeCopy } from './queries-copy.ts';
import { catalogueDocument, lastPriceSeq, listCatalogues } from './queries-catalogues.ts';
import { loadDirectory } from './queries-directory.ts';
import { exportDecisions, exportUsage, lastSeq, projectNames } from './queries-export.ts';
import { keyUses } from './queries-key-use.ts';
import { getDecision, listAudit, listCredits, listDecisions, listPolicies, projectOfResponse } from './queries-lists.ts';
import { correctionsIn, doubts, spend } from './queries-report.ts';
import { usage } from './queries-usage.ts';
import { sealedValues } from './reseal.ts';
import { chainHead, firstSeqFrom, verify } from './queries-keep.ts';

/** What the reader Worker answers, by name. Each takes one argument that can be sent between threads. */
export const queries = {
  loadDirectory,
  listDecisions,
  getDecision,
  projectOfResponse,
  keyUses,
  sealedValues,
  usage,
  listAudit,
  listPolicies,
  listCredits,
  listCatalogues,
  catalogueDocument,
  lastPriceSeq,
  dueDeliveries,
  listDeliveries,
  deliveryCounts,
  newestDeliveries,
  settledDeliveries,
  lookBack,
  writeCopy,
  checkCopy,
  lastSeq,
  exportDecisions,
  exportUsage,
  projectNames,
  spend,
  doubts,
  correctionsIn,
  verify,
  chainHead,
  firstSeqFrom,
} satisfies Record<string, (db: BunSQLiteDatabase, args: never) => unknown>;

export type Queries = typeof queries;
export type QueryName = keyof Queries;

/** What a query takes. */
export type QueryArgs<Name extends QueryName> = Parameters<Queries[Name]>[1];

/** What a query gives. */
export type QueryResult<Name extends QueryName> = ReturnType<Queries[Name]>;
