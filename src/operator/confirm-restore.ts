import { Refusal } from '../domain/errors.ts';
import type { Workspace } from '../domain/project.ts';
import { auditOf, type Actor, type Office } from './office.ts';
import type { Registry } from './registry.ts';
import { RESTORE_AUTHOR } from './restore.ts';
import { setSentry } from './sentry.ts';

/** The workspaces that a restore has stopped and that nobody has let go on since. */
function stopped(registry: Registry): Workspace[] {
  return [...registry.workspaces.values()].filter(({ id }) => {
    const turn = registry.sentryTurn({ workspaceId: id });
    return turn !== null && turn.enabled && turn.author === RESTORE_AUTHOR;
  });
}

/** When a backup was put in place that nobody has confirmed, milliseconds since 1970; null when there is none. */
export function restoredAtMs(registry: Registry): number | null {
  const times = stopped(registry).map(({ id }) => registry.sentryTurn({ workspaceId: id })!.atMs);
  return times.length === 0 ? null : Math.min(...times);
}

/**
 * Says that the restored ledger is the one to go on with: Sentry Mode ends where the restore had switched it on, and nowhere else.
 * Throws a Refusal when there is nothing to confirm.
 */
export async function confirmRestore(office: Office, actor: Actor): Promise<readonly Workspace[]> {
  const workspaces = stopped(office.registry);
  if (workspaces.length === 0)
    throw new Refusal('conflict', 'No restored backup waits for a word. Sentry Mode ends with: panicly sentry off');
  const detail = { workspaces: workspaces.map(({ publicId }) => publicId) };
  await office.store.recordAudit(auditOf(actor, 'ledger.confirm_restore', 'ledger', detail));
  const letGo: Workspace[] = [];
  for (const workspace of workspaces) {
    // Who has stopped it meanwhile is not overruled.
    if (!stopped(office.registry).some(({ id }) => id === workspace.id)) continue;
    await setSentry(office, actor, { workspace }, false);
    letGo.push(workspace);
  }
  return letGo;
}
