import { Refusal } from '../domain/errors.ts';
import { LedgerUnavailable } from '../ledger/ledger.ts';
import { StoreConflict } from '../ledger/store.ts';

export type { CreditEntry, Operator, RecordedDecision, StoredAuditEvent, StoredConnection, UsageLine } from '../ledger/store.ts';

/** What a use case threw, as a refusal for people. What is no refusal is a failure, and is thrown on. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof StoreConflict) return new Refusal('conflict', conflictOf(error));
  if (error instanceof LedgerUnavailable) return new Refusal(error.reason, 'The ledger cannot be written right now. Nothing was changed.');
  throw error;
}

/** What the database says is for programmers: people are told which rule of ours they met. */
function conflictOf({ message }: StoreConflict): string {
  return message.includes('.name') ? 'This name is taken. Choose another one.' : 'This contradicts what is stored. Nothing was changed.';
}
