import { Elysia, type AnyElysia } from 'elysia';
import { examine } from '../../operator/doctor/server.ts';
import type { Office } from '../../operator/office.ts';
import { iso } from '../render.ts';
import * as schemas from '../schemas/operator-doctor.ts';
import type { Visits } from './visit.ts';

/** What the running server knows of its own health. */
export function doctorRoutes(office: Office, visits: Visits): AnyElysia {
  return new Elysia().get(
    '/doctor',
    ...visits.read(
      {
        operationId: 'examine',
        summary:
          'Look at ledger, disk, providers, prices, keys and backups, and say what to do; asks every provider for its list of models',
        answer: schemas.Examination,
      },
      async ({ request, server }) => {
        // Providers that do not answer are waited for, one after the other.
        server?.timeout(request, 0);
        const { version, atMs, findings } = await examine(office);
        return { version, at: iso(atMs), findings };
      },
    ),
  );
}
