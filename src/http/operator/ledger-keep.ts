import { Elysia, type AnyElysia } from 'elysia';
import type { LedgerReport } from '../../operator/ledger.ts';
import { ledgerHead, parseAnchor, verifyNow } from '../../operator/ledger.ts';
import type { Office } from '../../operator/office.ts';
import type { PruningRun } from '../../operator/pruning.ts';
import { iso } from '../render.ts';
import * as schemas from '../schemas/operator.ts';
import type { LedgerReportJson, PruningJson } from '../schemas/operator.ts';
import type { Visits } from './visit.ts';

/** Proof that nobody touched the ledger, and letting old rows go. */
export function ledgerKeepRoutes(office: Office, visits: Visits): AnyElysia {
  return new Elysia()
    .get(
      '/ledger/verify',
      ...visits.read(
        {
          operationId: 'verify-ledger',
          summary: 'Prove every row by the chain and recompute every balance; takes minutes on a large ledger',
          query: schemas.VerifyQuery,
          answer: schemas.LedgerReport,
        },
        async ({ request, server, query }) => {
          const anchor = parseAnchor(query.anchor);
          server?.timeout(request, 0);
          return reportJson(await verifyNow(office, anchor));
        },
      ),
    )
    .get(
      '/ledger/head',
      ...visits.read(
        { operationId: 'get-ledger-head', summary: 'The end of the chain, to keep elsewhere', answer: schemas.LedgerHead },
        async () => ({ head: await ledgerHead(office) }),
      ),
    )
    .get(
      '/ledger/prune',
      ...visits.read({ operationId: 'get-pruning', summary: 'How pruning stands', answer: schemas.PruningState }, () => ({
        run: office.pruning.run && pruningJson(office.pruning.run),
      })),
    )
    .post(
      '/ledger/prune',
      ...visits.write(
        {
          operationId: 'prune-ledger',
          summary: 'Begin to let decisions go that are older than so many days; their sums stay',
          body: schemas.PruneRequest,
          answer: schemas.Pruning,
          success: 202,
          statuses: [409],
        },
        ({ actor, body }) => pruningJson(office.pruning.begin(body.older_than_days, actor)),
      ),
    );
}

function reportJson({ firstBadRow, ...report }: LedgerReport): LedgerReportJson {
  const { decisions, settlements, problems, notes, head } = report;
  return {
    ok: problems.length === 0,
    decisions,
    settlements,
    problems: [...problems],
    first_bad_row: firstBadRow,
    notes: [...notes],
    head,
  };
}

function pruningJson({ isRunning, days, beforeMs, decisions, settlements, corrections, problem }: PruningRun): PruningJson {
  return { running: isRunning, older_than_days: days, before: iso(beforeMs), decisions, settlements, corrections, problem };
}
