import { Elysia, type AnyElysia } from 'elysia';
import { rotateMasterKey } from '../../operator/master-key.ts';
import type { Office } from '../../operator/office.ts';
import * as schemas from '../schemas/operator.ts';
import type { Visits } from './visit.ts';

/** The key that all stored secrets are sealed with. */
export function masterKeyRoutes(office: Office, visits: Visits): AnyElysia {
  return new Elysia().post(
    '/master-key/rotate',
    ...visits.write(
      {
        operationId: 'rotate-master-key',
        summary: 'Replace the master key and seal every stored secret anew, while requests go on',
        answer: schemas.MasterKeyRotation,
        statuses: [409],
      },
      ({ actor }) => rotateMasterKey(office, actor),
    ),
  );
}
