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
import { isoOrNull, listJson } from '../render.ts';
import * as schemas from '../schemas/operator.ts';
import type { RouteParts, Visits } from './visit.ts';

/** Policies of projects and workspaces, with their versions. */
export function policyRoutes(office: Office, visits: Visits): AnyElysia {
  const { registry } = office;
  return new Elysia()
    .use(routesOf(office, visits, 'project', (id) => ({ project: projectOf(registry, id) })))
    .use(routesOf(office, visits, 'workspace', (id) => ({ workspace: workspaceOf(registry, id) })));
}

function routesOf(office: Office, visits: Visits, noun: 'project' | 'workspace', owner: (id: string) => PolicyOwner): AnyElysia {
  const get: RouteParts = visits.read(
    {
      operationId: `get-${noun}-policy`,
      summary: `The policy of a ${noun}, with every default written out`,
      answer: schemas.PolicyAnswer,
    },
    ({ id }) => policyResponse(currentPolicy(office, owner(id))),
  );
  const put: RouteParts = visits.write(
    {
      operationId: `set-${noun}-policy`,
      summary: `Store a new version of the policy of a ${noun}`,
      body: schemas.PolicyInput,
      query: schemas.PolicyQuery,
      answer: schemas.PolicyAnswer,
      statuses: [409],
    },
    async ({ request, actor, id, body, query }) => {
      if (query.dry_run === 'true') return policyResponse(previewPolicy(office, owner(id), body));
      return policyResponse(await savePolicy(office, actor, owner(id), body, expectedVersion(request.headers.get('if-match'))));
    },
  );
  const versions: RouteParts = visits.read(
    { operationId: `list-${noun}-policy-versions`, summary: 'Every stored version, newest first', answer: schemas.PolicyVersionList },
    async ({ id }) => listJson((await policyVersions(office, owner(id))).map(policyJson)),
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
