import { Elysia, type AnyElysia } from 'elysia';
import { connectionOf, projectOf } from '../../operator/find.ts';
import type { Office } from '../../operator/office.ts';
import { createProvider, deleteProvider, listProviders, updateProvider } from '../../operator/providers.ts';
import { listJson, providerJson } from '../render.ts';
import * as schemas from '../schemas/operator.ts';
import type { Visits } from './visit.ts';

/** Provider connections. A secret goes in, and never comes out. */
export function providerRoutes(office: Office, visits: Visits): AnyElysia {
  const { registry } = office;
  return new Elysia()
    .get(
      '/projects/:id/providers',
      ...visits.read(
        {
          operationId: 'list-providers',
          reach: 'workspace',
          summary: 'List the provider connections of a project',
          answer: schemas.ProviderList,
        },
        ({ scope, id }) => listJson(listProviders(office, projectOf(registry, scope, id)).map((stored) => providerJson(registry, stored))),
      ),
    )
    .post(
      '/projects/:id/providers',
      ...visits.write(
        {
          operationId: 'create-provider',
          reach: 'workspace',
          summary: 'Connect a provider',
          body: schemas.ProviderInput,
          answer: schemas.Provider,
          success: 201,
          statuses: [409],
        },
        async ({ scope, actor, id, body }) => {
          const made = await createProvider(office, scope, actor, projectOf(registry, scope, id), {
            name: body.name,
            kind: body.kind,
            baseUrl: body.base_url ?? null,
            apiKey: body.api_key ?? null,
            apiKeyEnv: body.api_key_env ?? null,
            models: body.models ?? null,
          });
          return providerJson(registry, made);
        },
      ),
    )
    .patch(
      '/providers/:id',
      ...visits.write(
        {
          operationId: 'update-provider',
          reach: 'workspace',
          summary: 'Change a provider connection',
          body: schemas.ProviderChange,
          answer: schemas.Provider,
          statuses: [409],
        },
        async ({ scope, actor, id, body }) => {
          const change = {
            ...(body.name === undefined ? {} : { name: body.name }),
            ...(body.base_url === undefined ? {} : { baseUrl: body.base_url }),
            ...(body.api_key === undefined ? {} : { apiKey: body.api_key }),
            ...(body.api_key_env === undefined ? {} : { apiKeyEnv: body.api_key_env }),
            ...(body.models === undefined ? {} : { models: body.models }),
          };
          return providerJson(registry, await updateProvider(office, scope, actor, connectionOf(registry, scope, id), change));
        },
      ),
    )
    .delete(
      '/providers/:id',
      ...visits.write(
        { operationId: 'delete-provider', reach: 'workspace', summary: 'Remove a provider connection and wipe its key', success: 204 },
        ({ scope, actor, id }) => deleteProvider(office, actor, connectionOf(registry, scope, id)),
      ),
    );
}
