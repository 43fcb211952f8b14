import { Elysia, type AnyElysia } from 'elysia';
import { confirmRestore } from '../../operator/confirm-restore.ts';
import { confirmClock } from '../../operator/ledger.ts';
import type { Office } from '../../operator/office.ts';
import { iso } from '../render.ts';
import * as schemas from '../schemas/operator.ts';
import { ledgerKeepRoutes } from './ledger-keep.ts';
import type { Visits } from './visit.ts';

/** The ledger itself. */
export function ledgerRoutes(office: Office, visits: Visits): AnyElysia {
  return new Elysia()
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
    )
    .post(
      '/ledger/confirm-restore',
      ...visits.write(
        {
          operationId: 'confirm-restore',
          summary: 'Say that the restored ledger is the one to go on with: Sentry Mode ends where the restore had switched it on',
          answer: schemas.RestoreAnswer,
          statuses: [409],
        },
        async ({ actor }) => ({ workspaces: (await confirmRestore(office, actor)).map(({ name }) => name) }),
      ),
    )
    .use(ledgerKeepRoutes(office, visits));
}
