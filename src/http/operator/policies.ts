import { Elysia, type AnyElysia } from 'elysia';
import { Refusal } from '../../domain/errors.ts';
import { projectOf, workspaceOf } from '../../operator/find.ts';
import type { Office } from '../../operator/office.ts';
import {
  currentPolicy,
  policyVersions,
  previewPolicy,
  savePolicy,
  type PolicyOwner,
  type StandingPolicy,
} from '../../operator/policies.ts';
import type { Scope } from '../../operator/scope.ts';
import { isoOrNull, listJson } from '../render.ts';
import * as schemas from '../schemas/operator.ts';
import type { RouteParts, Visits } from './visit.ts';

/** Policies of projects and workspaces, with their versions. */
export function policyRoutes(office: Office, visits: Visits): AnyElysia {
  const { registry } = office;
  return new Elysia()
    .use(routesOf(office, visits, 'project', (scope, id) => ({ project: projectOf(registry, scope, id) })))
    .use(routesOf(office, visits, 'workspace', (scope, id) => ({ workspace: workspaceOf(registry, scope, id) })));
}

type OwnerOf = (scope: Scope, id: string) => PolicyOwner;

function routesOf(office: Office, visits: Visits, noun: 'project' | 'workspace', owner: OwnerOf): AnyElysia {
  const get: RouteParts = visits.read(
    {
      operationId: `get-${noun}-policy`,
      reach: 'workspace',
      summary: `The policy of a ${noun}, with every default written out`,
      answer: schemas.PolicyAnswer,
    },
    ({ scope, id }) => policyResponse(currentPolicy(office, owner(scope, id))),
  );
  const put: RouteParts = visits.write(
    {
      operationId: `set-${noun}-policy`,
      reach: 'workspace',
      summary: `Store a new version of the policy of a ${noun}`,
      body: schemas.PolicyInput,
      query: schemas.PolicyQuery,
      answer: schemas.PolicyAnswer,
      statuses: [409],
    },
    async ({ request, scope, actor, id, body, query }) => {
      if (query.dry_run === 'true') return policyResponse(previewPolicy(office, owner(scope, id), body));
      return policyResponse(await savePolicy(office, actor, owner(scope, id), body, expectedVersion(request.headers.get('if-match'))));
    },
  );
  const versions: RouteParts = visits.read(
    {
      operationId: `list-${noun}-policy-versions`,
      reach: 'workspace',
      summary: 'Every stored version, newest first',
      answer: schemas.PolicyVersionList,
    },
    async ({ scope, id }) => listJson((await policyVersions(office, owner(scope, id))).map(policyJson)),
  );
  return new Elysia()
    .get(`/${noun}s/:id/policy`, ...get)
    .put(`/${noun}s/:id/policy`, ...put)
    .get(`/${noun}s/:id/policy/versions`, ...versions);
}

function policyJson({ version, author, atMs, document }: StandingPolicy) {
  return { version, author, at: isoOrNull(atMs), policy: document };
}

function policyResponse(policy: StandingPolicy): Response {
  return Response.json(policyJson(policy), { headers: { etag: `"${policy.version}"` } });
}

function expectedVersion(header: string | null): number | null {
  if (header === null || header === '*') return null;
  const match = /^"(\d{1,15})"$/.exec(header);
  if (!match) throw new Refusal('invalid_value', 'If-Match must hold the ETag of the policy that you read.', { param: 'if-match' });
  return Number(match[1]);
}
