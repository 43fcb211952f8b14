import { Refusal } from '../domain/errors.ts';
import type { EarlierHead, LedgerReport } from '../ledger/keep-store.ts';
import { parseHead } from '../ledger/sqlite/chain/head.ts';
import { auditOf, type Actor, type Office } from './office.ts';

export type { LedgerReport } from '../ledger/keep-store.ts';

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

/** Proves the ledger by its chain and recomputes its sums. One at a time: it reads the whole file. */
export function verifyNow(office: Office, anchor: EarlierHead | null = null): Promise<LedgerReport> {
  return office.turns.take('verify', () => office.store.verify(anchor));
}

/** The end of the ledger's chain as a line to keep elsewhere. */
export function ledgerHead(office: Office): Promise<string> {
  return office.store.chainHead();
}

/** What `ledgerHead` gave before, or null when there is no such line. Throws a Refusal for another text. */
export function parseAnchor(line: string | undefined): EarlierHead | null {
  const anchor = line === undefined ? null : parseHead(line);
  if (line !== undefined && anchor === null)
    throw new Refusal('invalid_value', 'The anchor is not a line that "panicly ledger head" prints.', { param: 'anchor' });
  return anchor;
}
