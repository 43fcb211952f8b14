import { Elysia, type AnyElysia } from 'elysia';
import { confirmClock, verifyNow } from '../../operator/ledger.ts';
import type { Office } from '../../operator/office.ts';
import { iso } from '../render.ts';
import * as schemas from '../schemas/operator.ts';
import type { Visits } from './visit.ts';

/** The ledger itself. */
export function ledgerRoutes(office: Office, visits: Visits): AnyElysia {
  return new Elysia()
    .get(
      '/ledger/verify',
      ...visits.read(
        {
          operationId: 'verify-ledger',
          summary: 'Recompute every balance from the rows and compare; takes minutes on a large ledger',
          answer: schemas.LedgerReport,
        },
        async ({ request, server }) => {
          server?.timeout(request, 0);
          const report = await verifyNow(office);
          return { ok: report.problems.length === 0, ...report };
        },
      ),
    )
    .post(
      '/ledger/confirm-clock',
      ...visits.write(
        {
          operationId: 'confirm-clock',
          summary: 'Say that the clock is right after it jumped forward: admission goes on',
          answer: schemas.ClockAnswer,
        },
        async ({ actor }) => ({ now: iso((await confirmClock(office, actor)).atMs) }),
      ),
    );
}
