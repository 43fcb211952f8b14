import { Elysia, type AnyElysia } from 'elysia';
import type { Office } from '../../operator/office.ts';
import { createOperator, deleteOperator, listOperators } from '../../operator/operators.ts';
import { listJson, operatorJson } from '../render.ts';
import * as schemas from '../schemas/operator.ts';
import type { Visits } from './visit.ts';

/** Who may use this API. */
export function operatorAccountRoutes(office: Office, visits: Visits): AnyElysia {
  const { registry } = office;
  return new Elysia()
    .get(
      '/operators',
      ...visits.read(
        { operationId: 'list-operators', reach: 'workspace', summary: 'List operators', answer: schemas.OperatorList },
        ({ scope }) => listJson(listOperators(office, scope).map((operator) => operatorJson(registry, operator))),
      ),
    )
    .post(
      '/operators',
      ...visits.write(
        {
          operationId: 'create-operator',
          reach: 'workspace',
          summary: 'Let somebody in: the only answer that shows the token',
          body: schemas.OperatorInput,
          answer: schemas.NewOperator,
          success: 201,
        },
        async ({ scope, actor, body }) => {
          const request = { name: body.name, role: body.role, expiresAt: body.expires_at ?? null, workspace: body.workspace_id };
          const made = await createOperator(office, scope, actor, request);
          return { ...operatorJson(registry, made.operator), token: made.token };
        },
      ),
    )
    .delete(
      '/operators/:id',
      ...visits.write(
        { operationId: 'delete-operator', reach: 'workspace', summary: 'Shut an operator out, at once', success: 204, statuses: [409] },
        ({ scope, actor, id }) => deleteOperator(office, scope, actor, id),
      ),
    );
}
