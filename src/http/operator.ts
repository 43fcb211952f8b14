import { Type } from '@sinclair/typebox';
import { Elysia, type AnyElysia } from 'elysia';
import { Refusal } from '../domain/errors.ts';
import { listDecisions, oneDecision } from '../operator/decisions.ts';
import { projectOf, workspaceOf } from '../operator/find.ts';
import { createKey, listKeys, revokeKey } from '../operator/keys.ts';
import type { Actor, Office } from '../operator/office.ts';
import { refusalOf } from '../operator/outcome.ts';
import { currentPolicy, policyVersions, savePolicy, type StandingPolicy } from '../operator/policies.ts';
import { createProject, deleteProject, listProjects } from '../operator/projects.ts';
import { listWorkspaces } from '../operator/workspaces.ts';
import { createProvider, deleteProvider, listProviders, updateProvider } from '../operator/providers.ts';
import { setSentry, type SentryTarget } from '../operator/sentry.ts';
import { operatorDetail } from './detail.ts';
import { errorResponse } from './errors.ts';
import { mustOwn, OperatorDoor } from './operator-auth.ts';
import { bodyOf, objectOf, queryOf } from './operator-body.ts';
import { decisionJson, keyJson, listJson, projectJson, providerJson, workspaceJson } from './render.ts';
import * as schemas from './schemas/operator.ts';

/** What a handler gets once the operator was let in. */
interface Visit {
  readonly request: Request;
  readonly actor: Actor;
  readonly params: { readonly [name: string]: string };
}

interface Context {
  readonly request: Request;
  readonly server: AnyElysia['server'];
  readonly params: { readonly [name: string]: string };
}

type Handler = (context: Context) => Promise<Response>;

const TAG = 'operator';
const raw = { parse: 'none' } as const;
const PageQuery = Type.Object(
  { cursor: Type.Optional(Type.String()), limit: Type.Optional(Type.String()) },
  { additionalProperties: false },
);

/** The operator API. Every route goes through the door; what writes needs an owner. */
export function operatorRoutes(office: Office): AnyElysia {
  const door = new OperatorDoor(office);
  const read = (work: (visit: Visit) => unknown): Handler => visitWith(door, false, 200, work);
  const write = (work: (visit: Visit) => unknown, status = 200): Handler => visitWith(door, true, status, work);
  return new Elysia({ name: 'operator', prefix: '/admin/v1' })
    .use(projectRoutes(office, read, write))
    .use(keyRoutes(office, read, write))
    .use(providerRoutes(office, read, write))
    .use(policyRoutes(office, read, write))
    .use(decisionRoutes(office, read));
}

type Maker = (work: (visit: Visit) => unknown, status?: number) => Handler;

function visitWith(door: OperatorDoor, writes: boolean, status: number, work: (visit: Visit) => unknown): Handler {
  return async ({ request, server, params }) => {
    try {
      const peer = server?.requestIP(request)?.address ?? null;
      const operator = door.enter(request, peer);
      if (writes) mustOwn(operator);
      const result = await work({ request, actor: { id: operator.publicId, ip: peer }, params });
      if (result instanceof Response) return result;
      return result === undefined ? new Response(null, { status: 204 }) : Response.json(result, { status });
    } catch (error) {
      return errorResponse(refusalOf(error), null);
    }
  };
}

function projectRoutes(office: Office, read: Maker, write: Maker): AnyElysia {
  const { registry } = office;
  const sentryOf = (target: (id: string) => SentryTarget) =>
    write(async ({ request, actor, params }) => {
      const { enabled } = await bodyOf(request, schemas.SentryInput);
      const turn = await setSentry(office, actor, target(params['id']!), enabled);
      return { enabled: turn.enabled, at: new Date(turn.atMs).toISOString(), author: turn.author };
    });
  return new Elysia()
    .get(
      '/workspaces',
      read(() => listJson(listWorkspaces(office).map(workspaceJson))),
      {
        detail: operatorDetail({ operationId: 'list-workspaces', summary: 'List workspaces', tag: TAG, answer: schemas.WorkspaceList }),
      },
    )
    .put(
      '/workspaces/:id/sentry',
      sentryOf((id) => ({ workspace: workspaceOf(registry, id) })),
      {
        ...raw,
        detail: operatorDetail({
          operationId: 'set-workspace-sentry',
          summary: 'Turn Sentry Mode of a workspace on or off',
          tag: TAG,
          request: schemas.SentryInput,
          answer: schemas.SentryState,
        }),
      },
    )
    .get(
      '/projects',
      read(() => listJson(listProjects(office).map((project) => projectJson(registry, project)))),
      {
        detail: operatorDetail({ operationId: 'list-projects', summary: 'List projects', tag: TAG, answer: schemas.ProjectList }),
      },
    )
    .post(
      '/projects',
      write(async ({ request, actor }) => {
        const input = await bodyOf(request, schemas.ProjectInput);
        return projectJson(registry, await createProject(office, actor, input.name, input.workspace_id ?? null));
      }, 201),
      {
        ...raw,
        detail: operatorDetail({
          operationId: 'create-project',
          summary: 'Make a project',
          tag: TAG,
          request: schemas.ProjectInput,
          answer: schemas.Project,
          success: 201,
          statuses: [409],
        }),
      },
    )
    .get(
      '/projects/:id',
      read(({ params }) => projectJson(registry, projectOf(registry, params['id']!))),
      {
        detail: operatorDetail({ operationId: 'get-project', summary: 'One project', tag: TAG, answer: schemas.Project }),
      },
    )
    .delete(
      '/projects/:id',
      write(({ params, actor }) => deleteProject(office, actor, projectOf(registry, params['id']!))),
      {
        ...raw,
        detail: operatorDetail({ operationId: 'delete-project', summary: 'Delete a project', tag: TAG, success: 204 }),
      },
    )
    .put(
      '/projects/:id/sentry',
      sentryOf((id) => ({ project: projectOf(registry, id) })),
      {
        ...raw,
        detail: operatorDetail({
          operationId: 'set-project-sentry',
          summary: 'Turn Sentry Mode of a project on or off',
          tag: TAG,
          request: schemas.SentryInput,
          answer: schemas.SentryState,
        }),
      },
    );
}

function keyRoutes(office: Office, read: Maker, write: Maker): AnyElysia {
  const { registry } = office;
  return new Elysia()
    .get(
      '/projects/:id/keys',
      read(({ params }) => listJson(listKeys(office, projectOf(registry, params['id']!)).map((key) => keyJson(registry, key)))),
      {
        detail: operatorDetail({ operationId: 'list-keys', summary: 'List the keys of a project', tag: TAG, answer: schemas.KeyList }),
      },
    )
    .post(
      '/projects/:id/keys',
      write(async ({ request, actor, params }) => {
        const project = projectOf(registry, params['id']!);
        const input = await bodyOf(request, schemas.KeyInput);
        const made = await createKey(office, actor, project, { name: input.name, environment: input.environment ?? 'live', expiresAt: input.expires_at ?? null });
        return { ...keyJson(registry, made.key), key: made.secret };
      }, 201),
      {
        ...raw,
        detail: operatorDetail({
          operationId: 'create-key',
          summary: 'Make a key: the only answer that shows it',
          tag: TAG,
          request: schemas.KeyInput,
          answer: schemas.NewKey,
          success: 201,
        }),
      },
    )
    .post(
      '/keys/:id/revoke',
      write(async ({ actor, params }) => keyJson(registry, await revokeKey(office, actor, params['id']!))),
      {
        ...raw,
        detail: operatorDetail({
          operationId: 'revoke-key',
          summary: 'Revoke a key and cut its open streams',
          tag: TAG,
          answer: schemas.Key,
        }),
      },
    );
}

function providerRoutes(office: Office, read: Maker, write: Maker): AnyElysia {
  const { registry } = office;
  return new Elysia()
    .get(
      '/projects/:id/providers',
      read(({ params }) =>
        listJson(listProviders(office, projectOf(registry, params['id']!)).map((stored) => providerJson(registry, stored))),
      ),
      {
        detail: operatorDetail({
          operationId: 'list-providers',
          summary: 'List the provider connections of a project',
          tag: TAG,
          answer: schemas.ProviderList,
        }),
      },
    )
    .post(
      '/projects/:id/providers',
      write(async ({ request, actor, params }) => {
        const project = projectOf(registry, params['id']!);
        const input = await bodyOf(request, schemas.ProviderInput);
        const made = await createProvider(office, actor, project, {
          name: input.name,
          kind: input.kind,
          baseUrl: input.base_url ?? null,
          apiKey: input.api_key ?? null,
          apiKeyEnv: input.api_key_env ?? null,
          models: input.models ?? null,
        });
        return providerJson(registry, made);
      }, 201),
      {
        ...raw,
        detail: operatorDetail({
          operationId: 'create-provider',
          summary: 'Connect a provider',
          tag: TAG,
          request: schemas.ProviderInput,
          answer: schemas.Provider,
          success: 201,
          statuses: [409],
        }),
      },
    )
    .patch(
      '/providers/:id',
      write(async ({ request, actor, params }) => {
        const input = await bodyOf(request, schemas.ProviderChange);
        const change = {
          ...(input.name === undefined ? {} : { name: input.name }),
          ...(input.base_url === undefined ? {} : { baseUrl: input.base_url }),
          ...(input.api_key === undefined ? {} : { apiKey: input.api_key }),
          ...(input.api_key_env === undefined ? {} : { apiKeyEnv: input.api_key_env }),
          ...(input.models === undefined ? {} : { models: input.models }),
        };
        return providerJson(registry, await updateProvider(office, actor, params['id']!, change));
      }),
      {
        ...raw,
        detail: operatorDetail({
          operationId: 'update-provider',
          summary: 'Change a provider connection',
          tag: TAG,
          request: schemas.ProviderChange,
          answer: schemas.Provider,
          statuses: [409],
        }),
      },
    )
    .delete(
      '/providers/:id',
      write(({ actor, params }) => deleteProvider(office, actor, params['id']!)),
      {
        ...raw,
        detail: operatorDetail({ operationId: 'delete-provider', summary: 'Remove a provider connection', tag: TAG, success: 204 }),
      },
    );
}

function policyRoutes(office: Office, read: Maker, write: Maker): AnyElysia {
  const { registry } = office;
  const project = ({ params }: Visit) => ({ project: projectOf(registry, params['id']!) });
  const workspace = ({ params }: Visit) => ({ workspace: workspaceOf(registry, params['id']!) });
  const put = (owner: typeof project | typeof workspace) =>
    write(async (visit) => {
      const target = owner(visit);
      return policyResponse(await savePolicy(office, visit.actor, target, await objectOf(visit.request), expectedVersion(visit.request)));
    });
  const detail = (operationId: string, summary: string, writes: boolean) =>
    operatorDetail({
      operationId,
      summary,
      tag: TAG,
      answer: schemas.PolicyAnswer,
      ...(writes ? { request: schemas.PolicyInput, statuses: [409] } : {}),
    });
  return new Elysia()
    .get(
      '/projects/:id/policy',
      read((visit) => policyResponse(currentPolicy(office, project(visit)))),
      {
        detail: detail('get-project-policy', 'The policy of a project, with every default written out', false),
      },
    )
    .put('/projects/:id/policy', put(project), {
      ...raw,
      detail: detail('set-project-policy', 'Store a new version of the policy of a project', true),
    })
    .get(
      '/projects/:id/policy/versions',
      read(async (visit) => listJson((await policyVersions(office, project(visit))).map(policyJson))),
      {
        detail: operatorDetail({
          operationId: 'list-policy-versions',
          summary: 'Every stored version, newest first',
          tag: TAG,
          answer: schemas.PolicyVersionList,
        }),
      },
    )
    .get(
      '/workspaces/:id/policy',
      read((visit) => policyResponse(currentPolicy(office, workspace(visit)))),
      {
        detail: detail('get-workspace-policy', 'The policy of a workspace', false),
      },
    )
    .put('/workspaces/:id/policy', put(workspace), {
      ...raw,
      detail: detail('set-workspace-policy', 'Store a new version of the policy of a workspace', true),
    });
}

function policyJson(policy: StandingPolicy) {
  return {
    version: policy.version,
    author: policy.author,
    at: policy.atMs === null ? null : new Date(policy.atMs).toISOString(),
    policy: policy.document,
  };
}

function policyResponse(policy: StandingPolicy): Response {
  return Response.json(policyJson(policy), { headers: { etag: `"${policy.version}"` } });
}

function expectedVersion(request: Request): number | null {
  const header = request.headers.get('if-match');
  if (header === null || header === '*') return null;
  const match = /^"(\d{1,15})"$/.exec(header);
  if (!match) throw new Refusal('invalid_value', 'If-Match must hold the ETag of the policy that you read.', { param: 'if-match' });
  return Number(match[1]);
}

function decisionRoutes(office: Office, read: Maker): AnyElysia {
  const { registry } = office;
  return new Elysia()
    .get(
      '/decisions',
      read(async ({ request }) => {
        const { limit, cursor, ...question } = queryOf(request, schemas.DecisionQuery);
        const page = await listDecisions(office, question, cursor, Math.min(Number(limit ?? 50), 1000));
        return listJson(
          page.items.map((recorded) => decisionJson(registry, recorded)),
          page.nextCursor,
        );
      }),
      {
        detail: operatorDetail({
          operationId: 'list-decisions',
          summary: 'List decisions, newest first',
          tag: TAG,
          query: schemas.DecisionQuery,
          answer: schemas.DecisionList,
        }),
      },
    )
    .get(
      '/decisions/:id',
      read(async ({ params }) => decisionJson(registry, await oneDecision(office, params['id']!))),
      {
        detail: operatorDetail({ operationId: 'get-decision', summary: 'One decision', tag: TAG, answer: schemas.Decision }),
      },
    )
    .get(
      '/audit',
      read(async ({ request }) => {
        const { cursor, limit } = queryOf(request, PageQuery);
        const page = await office.store.listAudit(cursor === undefined ? null : Number(cursor), Math.min(Number(limit ?? 50), 1000));
        return listJson(
          page.items.map(({ publicId, atMs, actor, action, subject, ip, detail }) => ({
            id: publicId,
            at: new Date(atMs).toISOString(),
            actor,
            action,
            subject,
            ip,
            detail,
          })),
          page.nextCursor,
        );
      }),
      {
        detail: operatorDetail({
          operationId: 'list-audit',
          summary: 'What operators did, newest first',
          tag: TAG,
          query: PageQuery,
          answer: schemas.AuditList,
        }),
      },
    );
}
