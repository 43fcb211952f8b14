import { Refusal } from '../domain/errors.ts';
import { LedgerUnavailable } from '../ledger/ledger.ts';
import { StoreConflict } from '../ledger/store.ts';

export type { Operator, RecordedDecision, StoredConnection } from '../ledger/store.ts';

/** What a use case threw, as a refusal for people. What is no refusal is a failure, and is thrown on. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof StoreConflict) return new Refusal('conflict', `${error.message}.`);
  if (error instanceof LedgerUnavailable) return new Refusal(error.reason, 'The ledger cannot be written right now. Nothing was changed.');
  throw error;
}
