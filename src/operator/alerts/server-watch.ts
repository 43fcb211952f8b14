import type { StoredDelivery } from '../../ledger/alert-store.ts';
import { restoredAtMs } from '../confirm-restore.ts';
import type { AlertEvent, EventType } from './event.ts';
import type { LedgerNews } from './ledger-news.ts';
import type { AlertRoom } from './room.ts';

/** How long the ledger must work again before that is said: one that goes up and down is down. */
const STEADY_MS = 5_000;
const HOUR_MS = 3_600_000;
/** A commit that takes long may be a busy disk: it is said when it still takes long at the next look. */
const STALLED_LOOKS = 2;

/** The types by which the last word on the ledger is found in the outbox. */
export const LEDGER_TYPES: readonly EventType[] = ['ledger.unavailable', 'ledger.available'];

/** The ledger, the clock and a restore: what stops every request of the server. */
export class ServerWatch {
  #troubleSinceMs: number | null = null;
  #goodSinceMs: number | null = null;
  #stalledLooks = 0;
  #unconfirmedSinceMs: number | null = null;

  constructor(
    readonly room: AlertRoom,
    readonly news: LedgerNews,
  ) {}

  /** What was told before a restart: trouble that nobody heard the end of. */
  remember(last: readonly Pick<StoredDelivery, 'type' | 'createdAtMs'>[]): void {
    for (const { type, createdAtMs } of last) if (type === 'ledger.unavailable') this.#troubleSinceMs = createdAtMs;
  }

  /** What has changed since the last look. */
  events(): AlertEvent[] {
    const nowMs = this.room.engine.nowMs();
    return [...this.#ledger(nowMs), ...this.#rows(nowMs), ...this.#clock(nowMs), ...this.#restore()];
  }

  #ledger(nowMs: number): AlertEvent[] {
    const { available } = this.room.engine;
    this.#stalledLooks = available ? 0 : this.#stalledLooks + 1;
    const trouble = this.news.takeTrouble() ?? (this.#stalledLooks >= STALLED_LOOKS ? 'stalled' : null);
    if (trouble !== null || !available) {
      this.#goodSinceMs = null;
      if (this.#troubleSinceMs !== null || trouble === null) return [];
      this.#troubleSinceMs = nowMs;
      return [ofServer('ledger.unavailable', `ledger ${nowMs} unavailable`, { why: trouble })];
    }
    if (this.#troubleSinceMs === null) return [];
    this.#goodSinceMs ??= nowMs;
    if (nowMs - this.#goodSinceMs < STEADY_MS) return [];
    const sinceMs = this.#troubleSinceMs;
    this.#troubleSinceMs = null;
    const seconds = Math.ceil((this.#goodSinceMs - sinceMs) / 1_000);
    return [ofServer('ledger.available', `ledger ${sinceMs} available`, { seconds })];
  }

  /** The first of an hour: a defect that refuses one row may refuse thousands. */
  #rows(nowMs: number): AlertEvent[] {
    const row = this.news.takeRefusedRow();
    if (row === null) return [];
    return [ofServer('ledger.row_refused', `row ${Math.floor(nowMs / HOUR_MS)}`, { seq: row.seq, refused_rows: row.count })];
  }

  /** While nobody has confirmed it: told once for each restore. */
  #restore(): AlertEvent[] {
    const atMs = restoredAtMs(this.room.registry);
    return atMs === null ? [] : [ofServer('restore.started', `restore ${atMs}`, { restored_at: new Date(atMs).toISOString() })];
  }

  #clock(nowMs: number): AlertEvent[] {
    if (this.room.engine.clockConfirmed()) {
      this.#unconfirmedSinceMs = null;
      return [];
    }
    this.#unconfirmedSinceMs ??= nowMs;
    return [ofServer('clock.unconfirmed', `clock ${this.#unconfirmedSinceMs}`, {})];
  }
}

/** An event that concerns every workspace. */
function ofServer(type: AlertEvent['type'], dedupeKey: string, facts: AlertEvent['facts']): AlertEvent {
  return { type, subject: 'server', workspaceId: null, projectId: null, dedupeKey, happenedAtMs: null, facts };
}
