import { Elysia, type AnyElysia } from 'elysia';
import { correctDecision } from '../../operator/corrections.ts';
import { listDecisions, oneDecision } from '../../operator/decisions.ts';
import type { Office } from '../../operator/office.ts';
import { decisionJson, listJson } from '../render.ts';
import * as schemas from '../schemas/operator.ts';
import { limitOf, type Visits } from './visit.ts';

/** What was decided, what it cost, and what operators say that it cost. */
export function decisionRoutes(office: Office, visits: Visits): AnyElysia {
  const { registry } = office;
  return new Elysia()
    .get(
      '/decisions',
      ...visits.read(
        {
          operationId: 'list-decisions',
          reach: 'workspace',
          summary: 'List decisions, newest first',
          query: schemas.DecisionQuery,
          answer: schemas.DecisionList,
        },
        async ({ scope, query: { limit, cursor, ...question } }) => {
          const page = await listDecisions(office, scope, question, cursor, limitOf(limit));
          const rows = page.items.map((recorded) => decisionJson(registry, recorded));
          return listJson(rows, page.nextCursor);
        },
      ),
    )
    .get(
      '/decisions/:id',
      ...visits.read(
        { operationId: 'get-decision', reach: 'workspace', summary: 'One decision', answer: schemas.Decision },
        async ({ scope, id }) => decisionJson(registry, await oneDecision(office, scope, id)),
      ),
    )
    .post(
      '/decisions/:id/corrections',
      ...visits.write(
        {
          operationId: 'correct-decision',
          reach: 'workspace',
          summary: 'Say what a settled request cost in truth: its budgets are freed or taken by the difference',
          body: schemas.CorrectionInput,
          answer: schemas.Decision,
          success: 201,
          statuses: [409],
        },
        async ({ scope, actor, id, body }) =>
          decisionJson(registry, await correctDecision(office, scope, actor, id, body.cost_usd, body.note)),
      ),
    );
}
