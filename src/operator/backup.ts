import { Refusal } from '../domain/errors.ts';
import type { Manifest } from './backup-files.ts';
import { auditOf, type Actor, type Office } from './office.ts';

/** Makes a backup of the running ledger, checks it, and resolves when it is in its place. One at a time. */
export function makeBackup(office: Office, actor: Actor): Promise<Manifest> {
  return office.backups.make('manual', (name) => office.store.recordAudit(auditOf(actor, 'backup.make', name, {})));
}

/** All finished backups in the directory of the settings, newest first. */
export function listBackups(office: Office): readonly Manifest[] {
  return office.backups.list();
}

/** The file of a backup, for an owner who takes it away. It holds hashes of keys and ciphertexts, so that leaves its audit event. */
export async function takeBackup(office: Office, actor: Actor, name: string): Promise<{ path: string; manifest: Manifest }> {
  const manifest = backupOf(office, name);
  await office.store.recordAudit(auditOf(actor, 'backup.download', name, { sha256: manifest.sha256 }));
  return { path: office.backups.pathOf(name), manifest };
}

/** Deletes a backup. */
export async function deleteBackup(office: Office, actor: Actor, name: string): Promise<void> {
  const { sha256 } = backupOf(office, name);
  await office.store.recordAudit(auditOf(actor, 'backup.delete', name, { sha256 }));
  await office.backups.delete(name);
}

/** Only what the list knows is there: no name from outside ever becomes a path by itself. */
function backupOf(office: Office, name: string): Manifest {
  const found = office.backups.list().find((manifest) => manifest.name === name);
  if (!found) throw new Refusal('unknown_resource', `There is no backup ${JSON.stringify(name.slice(0, 100))}.`);
  return found;
}
