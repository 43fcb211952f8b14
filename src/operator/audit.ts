import type { Page, StoredAuditEvent } from '../ledger/store.ts';
import { cursorOf } from './moment.ts';
import type { Office } from './office.ts';
import type { Scope } from './scope.ts';

/** What operators did, newest first. The cursor is what the page before ended with. */
export async function listAudit(office: Office, scope: Scope, cursor: string | undefined, limit: number): Promise<Page<StoredAuditEvent>> {
  return await office.store.listAudit(cursorOf(cursor), limit, scope.workspaceId ?? undefined);
}
