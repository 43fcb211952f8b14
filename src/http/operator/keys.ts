import { Elysia, type AnyElysia } from 'elysia';
import { keyOf, projectOf } from '../../operator/find.ts';
import { createKey, listKeys, revokeKey, rotateKey, type MadeKey } from '../../operator/keys.ts';
import { lookUpSecrets, type FoundSecret } from '../../operator/key-lookup.ts';
import { unusedFor, type UsedKey } from '../../operator/key-use.ts';
import type { Office } from '../../operator/office.ts';
import type { Registry } from '../../operator/registry.ts';
import { keyJson, listJson } from '../render.ts';
import * as schemas from '../schemas/operator.ts';
import type { Visits } from './visit.ts';

/** Keys of projects: made, replaced, revoked. */
export function keyRoutes(office: Office, visits: Visits): AnyElysia {
  const { registry } = office;
  const withSecret = ({ key, secret }: MadeKey) => ({ ...keyJson(registry, key), key: secret });
  return new Elysia()
    .get(
      '/projects/:id/keys',
      ...visits.read(
        {
          operationId: 'list-keys',
          reach: 'workspace',
          summary: 'List the keys of a project, and when each was last used',
          query: schemas.KeyQuery,
          answer: schemas.KeyList,
        },
        async ({ scope, id, query }) => {
          const project = projectOf(registry, scope, id);
          const keys = await office.keyUses.of(project, listKeys(office, project));
          const wanted = query.unused_for === undefined ? keys : unusedFor(keys, query.unused_for, office.clock.nowMs());
          return listJson(wanted.map((used) => usedKeyJson(registry, used)));
        },
      ),
    )
    .post(
      '/keys/lookup',
      ...visits.read(
        {
          operationId: 'look-up-keys',
          reach: 'workspace',
          summary: 'Say of hashes of found keys and operator tokens what they are: nothing is changed',
          body: schemas.KeyLookupInput,
          answer: schemas.FoundSecretList,
        },
        ({ scope, body }) => listJson(lookUpSecrets(office, scope, body.sha256).map((found) => foundJson(registry, found))),
      ),
    )
    .post(
      '/projects/:id/keys',
      ...visits.write(
        {
          operationId: 'create-key',
          reach: 'workspace',
          summary: 'Make a key: the only answer that shows it',
          body: schemas.KeyInput,
          answer: schemas.NewKey,
          success: 201,
        },
        async ({ scope, actor, id, body }) => {
          const request = { name: body.name, environment: body.environment ?? 'live', expiresAt: body.expires_at ?? null };
          return withSecret(await createKey(office, actor, projectOf(registry, scope, id), request));
        },
      ),
    )
    .post(
      '/keys/:id/rotate',
      ...visits.write(
        {
          operationId: 'rotate-key',
          reach: 'workspace',
          summary: 'Replace a key: the new one goes on with its budgets',
          body: schemas.KeyRotation,
          isBodyOptional: true,
          answer: schemas.NewKey,
          success: 201,
          statuses: [409],
        },
        async ({ scope, actor, id, body }) => {
          const rotation = { overlapSeconds: body.overlap_seconds ?? 0, expiresAt: body.expires_at ?? null };
          return withSecret(await rotateKey(office, actor, keyOf(registry, scope, id), rotation));
        },
      ),
    )
    .post(
      '/keys/:id/revoke',
      ...visits.write(
        { operationId: 'revoke-key', reach: 'workspace', summary: 'Revoke a key and cut its open streams', answer: schemas.Key },
        async ({ scope, actor, id }) => {
          const key = keyOf(registry, scope, id);
          const project = registry.projects.get(key.projectId)!;
          const [used] = await office.keyUses.of(project, [await revokeKey(office, actor, key)]);
          return usedKeyJson(registry, used!);
        },
      ),
    );
}

function usedKeyJson(registry: Registry, { key, lastUsedAtMs }: UsedKey) {
  return keyJson(registry, key, lastUsedAtMs);
}

function foundJson(registry: Registry, found: FoundSecret): schemas.FoundSecretJson {
  const { sha256, kind, status } = found;
  if (kind === null) return { sha256, kind, status, id: null, name: null, project_id: null };
  if (kind === 'operator') return { sha256, kind, status, id: found.operator.publicId, name: found.operator.name, project_id: null };
  const { id, name, project_id } = keyJson(registry, found.key);
  return { sha256, kind, status, id, name, project_id };
}
