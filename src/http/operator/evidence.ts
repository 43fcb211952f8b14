import { Elysia, type AnyElysia } from 'elysia';
import { listAudit } from '../../operator/audit.ts';
import type { Office } from '../../operator/office.ts';
import { statusNow } from '../../operator/status.ts';
import { usageReport } from '../../operator/usage.ts';
import { auditJson, listJson, usageJson } from '../render.ts';
import * as schemas from '../schemas/operator.ts';
import { statusJson } from './status-json.ts';
import { limitOf, type Visits } from './visit.ts';

/** Usage, audit and status: reports over all projects. */
export function evidenceRoutes(office: Office, visits: Visits): AnyElysia {
  const { registry } = office;
  return new Elysia()
    .get(
      '/usage',
      ...visits.read(
        {
          operationId: 'get-usage',
          reach: 'workspace',
          summary: 'Sums of what was used, by group',
          query: schemas.UsageQuery,
          answer: schemas.UsageList,
        },
        async ({ scope, query: { group_by, ...question } }) => {
          const lines = await usageReport(office, scope, { groupBy: group_by, ...question });
          return listJson(lines.map((line) => usageJson(registry, line)));
        },
      ),
    )
    .get(
      '/audit',
      ...visits.read(
        {
          operationId: 'list-audit',
          reach: 'workspace',
          summary: 'What operators did, newest first',
          query: schemas.PageQuery,
          answer: schemas.AuditList,
        },
        async ({ scope, query: { cursor, limit } }) => {
          const page = await listAudit(office, scope, cursor, limitOf(limit));
          return listJson(page.items.map(auditJson), page.nextCursor);
        },
      ),
    )
    .get(
      '/status',
      ...visits.read(
        {
          operationId: 'get-status',
          reach: 'workspace',
          summary: 'How things stand: Sentry Mode, budgets, today, the ledger',
          answer: schemas.Status,
        },
        async ({ scope }) => statusJson(registry, await statusNow(office, scope)),
      ),
    );
}
