import { Type } from '@sinclair/typebox';
import { Elysia, type AnyElysia } from 'elysia';
import { exportDecisions, exportUsage, type Pages } from '../../operator/export.ts';
import type { Office } from '../../operator/office.ts';
import { csvLine } from '../csv.ts';
import { decisionJson, usageJson } from '../render.ts';
import { closed } from '../schemas/named.ts';
import * as schemas from '../schemas/operator.ts';
import { DECISION_COLUMNS, decisionCells, namesIn, usageCells, usageColumns } from './export-columns.ts';
import type { Visits } from './visit.ts';

const DecisionExportQuery = closed({ ...schemas.decisionFilters, format: Type.Optional(schemas.ExportFormat) });
const UsageExportQuery = closed({ ...schemas.UsageQuery.properties, format: Type.Optional(schemas.ExportFormat) });

const encoder = new TextEncoder();

/** Everything that a filter wants, as a file that is made while it is read. */
export function exportRoutes(office: Office, visits: Visits): AnyElysia {
  const { registry } = office;
  return new Elysia()
    .get(
      '/export/decisions',
      ...visits.read(
        {
          operationId: 'export-decisions',
          reach: 'workspace',
          summary: 'Every decision that the filters want, oldest first, as CSV or JSON lines (csv when absent)',
          query: DecisionExportQuery,
        },
        ({ request, server, scope, actor, query: { format, ...question } }) => {
          server?.timeout(request, 0);
          const pages = exportDecisions(office, scope, question, actor.id);
          if (format === 'jsonl') return fileOf('panicly-decisions.jsonl', '', pages, (row) => jsonLine(decisionJson(registry, row)));
          const names = namesIn(registry);
          const line = (row: Parameters<typeof decisionJson>[1]) => csvLine(decisionCells(names, decisionJson(registry, row)));
          return fileOf('panicly-decisions.csv', csvLine(DECISION_COLUMNS), pages, line);
        },
      ),
    )
    .get(
      '/export/usage',
      ...visits.read(
        {
          operationId: 'export-usage',
          reach: 'workspace',
          summary: 'Usage by the groups asked for, as CSV or JSON lines (csv when absent)',
          query: UsageExportQuery,
        },
        ({ request, server, scope, actor, query: { format, group_by: groupBy, ...question } }) => {
          server?.timeout(request, 0);
          const pages = exportUsage(office, scope, { groupBy, ...question }, actor.id);
          if (format === 'jsonl') return fileOf('panicly-usage.jsonl', '', pages, (line) => jsonLine(usageJson(registry, line)));
          const names = namesIn(registry);
          const columns = usageColumns(groupBy ?? 'day');
          const line = (row: Parameters<typeof usageJson>[1]) => csvLine(usageCells(names, columns, usageJson(registry, row)));
          return fileOf('panicly-usage.csv', csvLine(columns), pages, line);
        },
      ),
    );
}

/** One page is in memory at a time: the next one is read when the client has taken the last, and none once it has gone. */
function fileOf<Row>(name: string, head: string, pages: Pages<Row>, lineOf: (row: Row) => string): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      if (head !== '') controller.enqueue(encoder.encode(head));
    },
    async pull(controller) {
      for (;;) {
        const { done, value } = await pages.next();
        if (done) return controller.close();
        if (value.length > 0) return controller.enqueue(encoder.encode(value.map(lineOf).join('')));
      }
    },
    cancel: async () => void (await pages.return()),
  });
  const type = name.endsWith('.csv') ? 'text/csv; charset=utf-8; header=present' : 'application/jsonl; charset=utf-8';
  const headers = { 'content-type': type, 'content-disposition': `attachment; filename="${name}"`, 'cache-control': 'no-store' };
  return new Response(body, { headers });
}

function jsonLine(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
