import type { DeliveryProgress, NewDelivery } from '../../ledger/alert-store.ts';
import type { AlertBook } from './book.ts';
import type { LivingAlert } from './definition.ts';
import { tells, type AlertEvent } from './event.ts';
import { deliveryOf } from './payload.ts';
import type { Postman } from './postman.ts';
import type { AlertRoom } from './room.ts';

/** Keys that are known to be in the outbox; past this many they are forgotten, which only costs asking the database again. */
const MAX_KNOWN = 50_000;
/** Events that wait for the ledger; past this many the newest are not taken. */
const MAX_WAITING = 10_000;
const MAX_IN_ONE_WRITE = 500;

/** An event on its way into the database. */
interface Waiting {
  delivery: NewDelivery;
}

/**
 * From events to deliveries. An event is in the database before it is sent, so that a crash loses none; only while the ledger
 * itself cannot be written, news of the ledger go out from memory and are recorded later.
 */
export class Outbox {
  readonly #known = new Set<string>();
  readonly #waiting = new Map<string, Waiting>();
  #results: DeliveryProgress[] = [];
  #recording: Promise<void> | null = null;
  #looking: Promise<void> | null = null;
  #nextLookMs = 0;

  constructor(
    readonly room: AlertRoom,
    readonly book: AlertBook,
    readonly postman: Postman,
  ) {}

  /** Takes events for every alert that tells them. What is known already costs nothing. */
  take(events: readonly AlertEvent[]): void {
    if (events.length === 0) return;
    const nowMs = this.room.engine.nowMs();
    for (const living of this.book.list()) {
      for (const event of events) if (tells(living, event)) this.takeFor(living, event, nowMs);
    }
  }

  /** Takes an event for one alert. */
  takeFor(living: LivingAlert, event: AlertEvent, nowMs: number = this.room.engine.nowMs()): void {
    const key = `${living.alert.id} ${event.dedupeKey}`;
    if (this.#known.has(key) || this.#waiting.has(key) || this.#waiting.size >= MAX_WAITING) return;
    this.#waiting.set(key, { delivery: deliveryOf(this.room.registry, living, event, nowMs) });
  }

  /** Writes what was taken, sends what is due, records what was sent. Never rejects because of the ledger: it goes on when that can. */
  async turn(): Promise<void> {
    const isWritten = await this.#write();
    if (!isWritten) this.#sendFromMemory();
    await this.#sendDue();
    void this.#record();
  }

  /** Resolves when nothing is on its way and what was sent is recorded, or cannot be. */
  async idle(): Promise<void> {
    do {
      await this.postman.idle();
      await this.#record();
      await this.#looking;
    } while (this.postman.busyIds.length > 0);
  }

  async #write(): Promise<boolean> {
    const batch = [...this.#waiting].filter(([, { delivery }]) => !this.postman.isBusy(delivery.publicId)).slice(0, MAX_IN_ONE_WRITE);
    if (batch.length === 0) return this.#waiting.size === 0;
    try {
      await this.room.store.fireAlerts(batch.map(([, { delivery }]) => delivery));
    } catch {
      return false;
    }
    if (this.#known.size > MAX_KNOWN) this.#known.clear();
    for (const [key] of batch) {
      this.#waiting.delete(key);
      this.#known.add(key);
    }
    this.#nextLookMs = 0;
    return true;
  }

  #sendFromMemory(): void {
    const nowMs = this.room.engine.nowMs();
    for (const waiting of this.#waiting.values()) {
      const { delivery } = waiting;
      if (!delivery.type.startsWith('ledger.') || delivery.state !== 'pending' || delivery.nextAttemptAtMs! > nowMs) continue;
      this.postman.carry(delivery, (progress) => (waiting.delivery = { ...waiting.delivery, ...progress }));
    }
  }

  #sendDue(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = null));
    return this.#looking;
  }

  async #look(): Promise<void> {
    const nowMs = this.room.engine.nowMs();
    const limit = this.postman.freeHands;
    if (nowMs < this.#nextLookMs || limit <= 0 || this.book.isEmpty) return;
    try {
      const unrecorded = this.#results.map(({ publicId }) => publicId);
      const { postman, room } = this;
      const due = await room.store.dueDeliveries(nowMs, limit, postman.busyAlertIds, [...postman.busyIds, ...unrecorded]);
      let isCarried = true;
      for (const delivery of due.rows) isCarried = postman.carry(delivery, (progress) => this.#done(progress)) && isCarried;
      this.#nextLookMs = isCarried ? (due.nextAtMs ?? Infinity) : nowMs;
    } catch {
      // The ledger cannot be read or is stopping: the next turn looks again.
      this.#nextLookMs = 0;
    }
  }

  /** A free hand takes what had to wait for it. */
  #done(progress: DeliveryProgress): void {
    this.#results.push(progress);
    this.#nextLookMs = 0;
    void this.#record().then(() => this.#sendDue());
  }

  /** One write at a time, with everything that has come in meanwhile. What cannot be written stays for the next turn. */
  #record(): Promise<void> {
    this.#recording ??= this.#recordAll().finally(() => (this.#recording = null));
    return this.#recording;
  }

  async #recordAll(): Promise<void> {
    while (this.#results.length > 0) {
      const batch = [...this.#results];
      try {
        await this.room.store.recordDeliveries(batch);
      } catch {
        return;
      }
      this.#results = this.#results.slice(batch.length);
      // What is to be tried again can be seen now.
      this.#nextLookMs = 0;
    }
  }
}
