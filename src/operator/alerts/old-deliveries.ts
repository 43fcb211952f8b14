import type { SettledDelivery } from '../../ledger/alert-store.ts';
import { LEAST_KEPT_DAYS } from '../pruning.ts';
import type { AlertBook } from './book.ts';
import { PROVIDER_TYPES } from './providers.ts';
import type { AlertRoom } from './room.ts';
import { LEDGER_TYPES } from './server-watch.ts';

/**
 * How long the outbox keeps what was told or given up, milliseconds. A row is also what keeps its event from being told again,
 * so it stays for as long as an event can be noticed again: the longest month and window fit into that.
 */
export const KEPT_MS = LEAST_KEPT_DAYS * 86_400_000;

const EVERY_MS = 3_600_000;
const ROWS_PER_TURN = 256;

/** Types whose newest row says how things stood before a restart. */
const LAST_WORDS: readonly string[] = [...PROVIDER_TYPES, ...LEDGER_TYPES];
/** Types that stay true until somebody acts: a grant is used up until the next one, a restore waits to be confirmed. */
const LASTING: readonly string[] = ['credits.threshold', 'restore.started'];
/** A budget without a period: it is never anew. See `periodOf` in `budgets.ts`. */
const WITHOUT_PERIOD = /^budget .* total \d+$/s;

/** Lets go of deliveries of long ago: once an hour, in small steps. */
export class OldDeliveries {
  #nextMs = -Infinity;
  /** Rows up to this id were looked at in this round. */
  #afterId = 0;

  constructor(
    readonly room: AlertRoom,
    readonly book: AlertBook,
  ) {}

  /** A step, when one is due. Never rejects: what the ledger cannot do now is tried with the next turn. */
  async turn(): Promise<void> {
    const { clock, engine, store } = this.room;
    const nowMs = clock.monotonicMs();
    if (nowMs < this.#nextMs) return;
    try {
      const rows = await store.settledDeliveries(engine.nowMs() - KEPT_MS, this.#afterId, ROWS_PER_TURN);
      const old = rows.some(({ type }) => LAST_WORDS.includes(type)) ? withoutNewest(rows, await store.newestDeliveries(LAST_WORDS)) : rows;
      const gone = old.filter((row) => !this.book.has(row.alertId) || !isLasting(row));
      if (gone.length > 0) await store.dropDeliveries(gone.map(({ id }) => id));
      const isRoundOver = rows.length < ROWS_PER_TURN;
      this.#afterId = isRoundOver ? 0 : rows.at(-1)!.id;
      if (isRoundOver) this.#nextMs = nowMs + EVERY_MS;
    } catch {
      // The ledger cannot be read or written now.
    }
  }
}

/** Whether the event of a row may be noticed again, however long ago it was told. */
export function isLasting({ type, dedupeKey }: Pick<SettledDelivery, 'type' | 'dedupeKey'>): boolean {
  return LASTING.includes(type) || WITHOUT_PERIOD.test(dedupeKey);
}

type Named = Pick<SettledDelivery, 'alertId' | 'dedupeKey'>;

function withoutNewest(rows: readonly SettledDelivery[], newest: readonly Named[]): SettledDelivery[] {
  const nameOf = ({ alertId, dedupeKey }: Named): string => `${alertId} ${dedupeKey}`;
  const names = new Set(newest.map(nameOf));
  return rows.filter((row) => !names.has(nameOf(row)));
}
