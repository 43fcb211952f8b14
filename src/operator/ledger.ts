import type { LedgerReport } from '../ledger/store.ts';
import { auditOf, type Actor, type Office } from './office.ts';

/** Says that the wall clock is right after it jumped: admission goes on, in the periods that it names. */
export async function confirmClock(office: Office, actor: Actor): Promise<{ readonly atMs: number }> {
  const wasConfirmed = isClockConfirmed(office);
  await office.store.recordAudit(auditOf(actor, 'clock.confirm', 'ledger', { was_confirmed: wasConfirmed }));
  office.engine.confirmClock();
  return { atMs: office.engine.nowMs() };
}

/** Whether the wall clock is believed. Reads it first: a jump is only seen when somebody looks. */
export function isClockConfirmed({ engine }: Office): boolean {
  engine.nowMs();
  return engine.clockConfirmed();
}

/** Recomputes the ledger from its rows. One at a time: it reads the whole file. */
export function verifyNow(office: Office): Promise<LedgerReport> {
  return office.turns.take('verify', () => office.store.verify());
}
