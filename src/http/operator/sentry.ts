import { Elysia, type AnyElysia } from 'elysia';
import { projectOf, workspaceOf } from '../../operator/find.ts';
import type { Office } from '../../operator/office.ts';
import { setSentry, type SentryTarget } from '../../operator/sentry.ts';
import type { Scope } from '../../operator/scope.ts';
import { iso } from '../render.ts';
import * as schemas from '../schemas/operator.ts';
import type { RouteParts, Visits } from './visit.ts';

/** The emergency stop of a project or of a whole workspace. */
export function sentryRoutes(office: Office, visits: Visits): AnyElysia {
  const { registry } = office;
  const put = (operationId: string, summary: string, target: (scope: Scope, id: string) => SentryTarget): RouteParts =>
    visits.write(
      { operationId, reach: 'workspace', summary, body: schemas.SentryInput, answer: schemas.SentryState },
      async ({ scope, actor, id, body }) => {
        const turn = await setSentry(office, actor, target(scope, id), body.enabled);
        return { enabled: turn.enabled, at: iso(turn.atMs), author: turn.author };
      },
    );
  return new Elysia()
    .put(
      '/workspaces/:id/sentry',
      ...put('set-workspace-sentry', 'Turn Sentry Mode of a workspace on or off', (scope, id) => ({
        workspace: workspaceOf(registry, scope, id),
      })),
    )
    .put(
      '/projects/:id/sentry',
      ...put('set-project-sentry', 'Turn Sentry Mode of a project on or off', (scope, id) => ({ project: projectOf(registry, scope, id) })),
    );
}
