/** What alerts write: commands of the writer, see `commands.ts`. */
import { and, eq, inArray, ne } from 'drizzle-orm';
import { alertDeliveries, alerts } from '../../../db/schema-alerts.ts';
import type { DeliveryProgress, NewDelivery, ResealedAlert } from '../alert-store.ts';
import type { Alert } from '../store.ts';
import type { CommandContext } from './commands.ts';
import { toAlert } from './records.ts';

export function createAlert({ db, atMs }: CommandContext, alert: Omit<Alert, 'id' | 'createdAtMs'>): Alert {
  const sealed = { sealedUrl: bufferOf(alert.sealedUrl), sealedSecret: bufferOf(alert.sealedSecret) };
  return toAlert(
    db
      .insert(alerts)
      .values({ ...alert, ...sealed, createdAtMs: atMs })
      .returning()
      .get(),
  );
}

/** Wipes the secrets. What still waited to be told is given up. */
export function deleteAlert({ db, atMs }: CommandContext, id: number): void {
  db.update(alerts).set({ deletedAtMs: atMs, sealedUrl: null, sealedSecret: null }).where(eq(alerts.id, id)).run();
  db.update(alertDeliveries)
    .set({ state: 'failed', nextAttemptAtMs: null, lastError: 'alert_removed' })
    .where(and(eq(alertDeliveries.alertId, id), eq(alertDeliveries.state, 'pending')))
    .run();
}

/** For a project that goes. */
export function deleteAlertsOfProject(context: CommandContext, projectId: number): void {
  const rows = context.db.select({ id: alerts.id }).from(alerts).where(eq(alerts.projectId, projectId)).all();
  for (const { id } of rows) deleteAlert(context, id);
}

/** An event that is in the outbox already stays as it is. */
export function fireAlerts({ db }: CommandContext, deliveries: readonly NewDelivery[]): void {
  for (const delivery of deliveries) db.insert(alertDeliveries).values(delivery).onConflictDoNothing().run();
}

/** Only what still waits moves on: an alert that was removed meanwhile stays given up. */
export function recordDeliveries({ db }: CommandContext, progress: readonly DeliveryProgress[]): void {
  for (const { publicId, ...change } of progress)
    db.update(alertDeliveries)
      .set(change)
      .where(and(eq(alertDeliveries.publicId, publicId), eq(alertDeliveries.state, 'pending')))
      .run();
}

/** The table is in no chain: nothing proves the outbox, and nothing has to. */
export function dropDeliveries({ db }: CommandContext, ids: readonly number[]): void {
  db.delete(alertDeliveries)
    .where(and(inArray(alertDeliveries.id, [...ids]), ne(alertDeliveries.state, 'pending')))
    .run();
}

export function resealAlerts({ db }: CommandContext, resealed: readonly ResealedAlert[]): void {
  for (const { id, sealedUrl, sealedSecret } of resealed)
    db.update(alerts)
      .set({ sealedUrl: bufferOf(sealedUrl), sealedSecret: bufferOf(sealedSecret) })
      .where(eq(alerts.id, id))
      .run();
}

function bufferOf(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes);
}
