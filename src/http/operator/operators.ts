import { Elysia, type AnyElysia } from 'elysia';
import type { Office } from '../../operator/office.ts';
import { createOperator, deleteOperator, listOperators } from '../../operator/operators.ts';
import { listJson, operatorJson } from '../render.ts';
import * as schemas from '../schemas/operator.ts';
import type { Visits } from './visit.ts';

/** Who may use this API. */
export function operatorAccountRoutes(office: Office, visits: Visits): AnyElysia {
  return new Elysia()
    .get(
      '/operators',
      ...visits.read({ operationId: 'list-operators', summary: 'List operators', answer: schemas.OperatorList }, () =>
        listJson(listOperators(office).map(operatorJson)),
      ),
    )
    .post(
      '/operators',
      ...visits.write(
        {
          operationId: 'create-operator',
          summary: 'Let somebody in: the only answer that shows the token',
          body: schemas.OperatorInput,
          answer: schemas.NewOperator,
          success: 201,
        },
        async ({ actor, body }) => {
          const made = await createOperator(office, actor, { name: body.name, role: body.role, expiresAt: body.expires_at ?? null });
          return { ...operatorJson(made.operator), token: made.token };
        },
      ),
    )
    .delete(
      '/operators/:id',
      ...visits.write(
        { operationId: 'delete-operator', summary: 'Shut an operator out, at once', success: 204, statuses: [409] },
        ({ actor, id }) => deleteOperator(office, actor, id),
      ),
    );
}
