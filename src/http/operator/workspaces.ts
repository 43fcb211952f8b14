import { Elysia, type AnyElysia } from 'elysia';
import { workspaceOf } from '../../operator/find.ts';
import type { Office } from '../../operator/office.ts';
import { createWorkspace, grantCredits, listCredits, listWorkspaces, updateWorkspace, volumeNow } from '../../operator/workspaces.ts';
import { creditJson, listJson, workspaceJson } from '../render.ts';
import * as schemas from '../schemas/operator.ts';
import type { Visits } from './visit.ts';

/** Workspaces and their credits. */
export function workspaceRoutes(office: Office, visits: Visits): AnyElysia {
  const { registry } = office;
  return new Elysia()
    .get(
      '/workspaces',
      ...visits.read(
        { operationId: 'list-workspaces', reach: 'workspace', summary: 'List workspaces', answer: schemas.WorkspaceList },
        ({ scope }) => listJson(listWorkspaces(office, scope).map(workspaceJson)),
      ),
    )
    .post(
      '/workspaces',
      ...visits.write(
        {
          operationId: 'create-workspace',
          summary: 'Make a workspace',
          body: schemas.WorkspaceInput,
          answer: schemas.Workspace,
          success: 201,
          statuses: [409],
        },
        async ({ actor, body }) =>
          workspaceJson(
            await createWorkspace(office, actor, { name: body.name, plan: body.plan, includedRequests: body.included_requests }),
          ),
      ),
    )
    .get(
      '/workspaces/:id',
      ...visits.read(
        { operationId: 'get-workspace', reach: 'workspace', summary: 'One workspace', answer: schemas.Workspace },
        ({ scope, id }) => workspaceJson(workspaceOf(registry, scope, id)),
      ),
    )
    .patch(
      '/workspaces/:id',
      ...visits.write(
        {
          operationId: 'update-workspace',
          summary: 'Change name, plan or volume of a workspace',
          body: schemas.WorkspaceChange,
          answer: schemas.Workspace,
          statuses: [409],
        },
        async ({ scope, actor, id, body }) => {
          const change = { name: body.name, plan: body.plan, includedRequests: body.included_requests };
          return workspaceJson(await updateWorkspace(office, actor, workspaceOf(registry, scope, id), change));
        },
      ),
    )
    .use(creditRoutes(office, visits));
}

function creditRoutes(office: Office, visits: Visits): AnyElysia {
  const { registry } = office;
  return new Elysia()
    .get(
      '/workspaces/:id/credits',
      ...visits.read(
        { operationId: 'list-credits', reach: 'workspace', summary: 'Every grant of credits, newest first', answer: schemas.CreditList },
        async ({ scope, id }) => listJson((await listCredits(office, workspaceOf(registry, scope, id))).map(creditJson)),
      ),
    )
    .post(
      '/workspaces/:id/credits',
      ...visits.write(
        {
          operationId: 'grant-credits',
          summary: 'Grant credits: requests beyond the included volume',
          body: schemas.CreditInput,
          answer: schemas.CreditAnswer,
          success: 201,
          statuses: [409],
        },
        async ({ scope, actor, id, body }) => {
          const workspace = workspaceOf(registry, scope, id);
          const grant = await grantCredits(office, actor, workspace, body.requests, body.note);
          return { grant: creditJson(grant), credits_left: volumeNow(office, workspace).creditsLeft };
        },
      ),
    );
}
