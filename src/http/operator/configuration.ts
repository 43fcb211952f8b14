import { Elysia, type AnyElysia } from 'elysia';
import { Refusal } from '../../domain/errors.ts';
import { applyConfiguration, type Applied } from '../../operator/apply/apply.ts';
import { configurationState, exportConfiguration } from '../../operator/apply/export.ts';
import type { Office } from '../../operator/office.ts';
import * as schemas from '../schemas/operator.ts';
import type { Visits } from './visit.ts';

/** Configuration as code: all that a file can say, read and written at once. */
export function configurationRoutes(office: Office, visits: Visits): AnyElysia {
  return new Elysia()
    .get(
      '/configuration',
      ...visits.read(
        {
          operationId: 'get-configuration',
          summary: 'Everything that a file can say of this server, without secrets',
          query: schemas.ConfigurationQuery,
          answer: schemas.Configuration,
        },
        ({ query }) => {
          const state = configurationState(office);
          return Response.json(
            { state, configuration: exportConfiguration(office, query.full === 'true') },
            { headers: { etag: `"${state}"` } },
          );
        },
      ),
    )
    .put(
      '/configuration',
      ...visits.write(
        {
          operationId: 'apply-configuration',
          summary: 'Bring the server to what a file says, in one transaction',
          body: schemas.ConfigurationInput,
          query: schemas.ApplyQuery,
          answer: schemas.ConfigurationPlan,
          statuses: [409],
        },
        async ({ request, actor, body, query }) => {
          const options = {
            dryRun: query.dry_run === 'true',
            prune: query.prune === 'true',
            confirmed: query.confirm === 'true',
            expectedState: stateOf(request.headers.get('if-match')),
          };
          return planResponse(await applyConfiguration(office, actor, body, options));
        },
      ),
    );
}

function planResponse({ plan, state, applied }: Applied): Response {
  const { entries, unchanged, notInFile } = plan;
  const answer: schemas.ConfigurationPlanJson = {
    applied,
    state,
    changes: entries.map(({ action, noun, name, fields, confirm, notes }) => ({
      action,
      noun,
      name,
      fields: [...fields],
      confirm: [...confirm],
      notes: [...notes],
    })),
    unchanged,
    not_in_file: [...notInFile],
  };
  return Response.json(answer, { headers: { etag: `"${state}"` } });
}

function stateOf(header: string | null): string | null {
  if (header === null || header === '*') return null;
  const match = /^"([0-9a-f]{32})"$/.exec(header);
  if (!match) throw new Refusal('invalid_value', 'If-Match must hold the state of the plan that you saw.', { param: 'if-match' });
  return match[1]!;
}
