import { Elysia, type AnyElysia } from 'elysia';
import { deleteBackup, listBackups, makeBackup, takeBackup } from '../../operator/backup.ts';
import type { Manifest } from '../../operator/backup-files.ts';
import type { Office } from '../../operator/office.ts';
import { listJson } from '../render.ts';
import * as schemas from '../schemas/operator.ts';
import type { BackupJson } from '../schemas/operator.ts';
import type { Visits } from './visit.ts';

/** Copies of the running ledger. Where they are written is a setting, never a field of a request. */
export function backupRoutes(office: Office, visits: Visits): AnyElysia {
  return new Elysia()
    .post(
      '/backup',
      ...visits.write(
        {
          operationId: 'make-backup',
          summary: 'Make a backup of the running ledger, and check it; takes minutes on a large ledger',
          answer: schemas.Backup,
          success: 201,
          statuses: [409],
        },
        async ({ request, server, actor }) => {
          server?.timeout(request, 0);
          return backupJson(await makeBackup(office, actor));
        },
      ),
    )
    .get(
      '/backups',
      ...visits.read({ operationId: 'list-backups', summary: 'List backups, newest first', answer: schemas.BackupList }, () =>
        listJson(listBackups(office).map(backupJson)),
      ),
    )
    .get(
      '/backups/:id',
      ...visits.write(
        { operationId: 'download-backup', summary: 'The file of a backup, for owners: an SQLite database', success: 200 },
        async ({ request, server, actor, id }) => {
          server?.timeout(request, 0);
          const { path, manifest } = await takeBackup(office, actor, id);
          return new Response(Bun.file(path), {
            headers: {
              'content-type': 'application/vnd.sqlite3',
              'content-disposition': `attachment; filename="${manifest.name}"`,
              'cache-control': 'no-store',
              'x-panicly-sha256': manifest.sha256,
            },
          });
        },
      ),
    )
    .delete(
      '/backups/:id',
      ...visits.write({ operationId: 'delete-backup', summary: 'Delete a backup', success: 204 }, ({ actor, id }) =>
        deleteBackup(office, actor, id),
      ),
    );
}

function backupJson({ format: _format, ...manifest }: Manifest): BackupJson {
  return manifest;
}
