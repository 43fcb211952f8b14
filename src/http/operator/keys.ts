import { Elysia, type AnyElysia } from 'elysia';
import { projectOf } from '../../operator/find.ts';
import { createKey, listKeys, revokeKey, rotateKey, type MadeKey } from '../../operator/keys.ts';
import type { Office } from '../../operator/office.ts';
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
      ...visits.read({ operationId: 'list-keys', summary: 'List the keys of a project', answer: schemas.KeyList }, ({ id }) =>
        listJson(listKeys(office, projectOf(registry, id)).map((key) => keyJson(registry, key))),
      ),
    )
    .post(
      '/projects/:id/keys',
      ...visits.write(
        {
          operationId: 'create-key',
          summary: 'Make a key: the only answer that shows it',
          body: schemas.KeyInput,
          answer: schemas.NewKey,
          success: 201,
        },
        async ({ actor, id, body }) => {
          const request = { name: body.name, environment: body.environment ?? 'live', expiresAt: body.expires_at ?? null };
          return withSecret(await createKey(office, actor, projectOf(registry, id), request));
        },
      ),
    )
    .post(
      '/keys/:id/rotate',
      ...visits.write(
        {
          operationId: 'rotate-key',
          summary: 'Replace a key: the new one goes on with its budgets',
          body: schemas.KeyRotation,
          isBodyOptional: true,
          answer: schemas.NewKey,
          success: 201,
          statuses: [409],
        },
        async ({ actor, id, body }) => {
          const rotation = { overlapSeconds: body.overlap_seconds ?? 0, expiresAt: body.expires_at ?? null };
          return withSecret(await rotateKey(office, actor, id, rotation));
        },
      ),
    )
    .post(
      '/keys/:id/revoke',
      ...visits.write(
        { operationId: 'revoke-key', summary: 'Revoke a key and cut its open streams', answer: schemas.Key },
        async ({ actor, id }) => keyJson(registry, await revokeKey(office, actor, id)),
      ),
    );
}
