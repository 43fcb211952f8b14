import type { DeliveryProgress, NewDelivery } from '../../ledger/alert-store.ts';
import { checkWebhookUrl } from '../../upstream/webhook-url.ts';
import type { WebhookMessage, WebhookOutcome, WebhookSender } from '../../upstream/webhook.ts';
import { nextAttemptMs } from './backoff.ts';
import type { AlertBook } from './book.ts';
import type { LivingAlert } from './definition.ts';
import { messageOf } from './message.ts';
import type { AlertRoom } from './room.ts';
import { revealed } from './secrets.ts';

/** How many messages are on their way at once: in all, and to one alert, so that a slow receiver holds up no other. */
const MAX_AT_ONCE = 8;
const MAX_PER_ALERT = 2;

type Undelivered = Pick<WebhookOutcome, 'delivered' | 'status' | 'error' | 'retryAfterSeconds'>;

/** Carries messages out, a few at a time. It decides when to try again, and keeps nothing. */
export class Postman {
  readonly #stops = new Map<string, { readonly alertId: number; stop: () => void }>();
  readonly #underWay = new Set<Promise<void>>();
  #closed = false;

  constructor(
    readonly room: AlertRoom,
    readonly book: AlertBook,
    readonly sender: WebhookSender,
    readonly random: () => number,
  ) {}

  /** The messages that are on their way. */
  get busyIds(): string[] {
    return [...this.#stops.keys()];
  }

  /** Alerts that can take no more for now. */
  get busyAlertIds(): number[] {
    const counts = new Map<number, number>();
    for (const { alertId } of this.#stops.values()) counts.set(alertId, (counts.get(alertId) ?? 0) + 1);
    return [...counts].filter(([, count]) => count >= MAX_PER_ALERT).map(([id]) => id);
  }

  /** How many more can be carried at once. */
  get freeHands(): number {
    return this.#closed ? 0 : MAX_AT_ONCE - this.#stops.size;
  }

  isBusy(publicId: string): boolean {
    return this.#stops.has(publicId);
  }

  /** Begins to carry a delivery; `done` is told how far it came, unless the postman was closed meanwhile. False when it has to wait. */
  carry(delivery: NewDelivery, done: (progress: DeliveryProgress) => void): boolean {
    if (this.freeHands <= 0 || this.isBusy(delivery.publicId) || this.busyAlertIds.includes(delivery.alertId)) return false;
    const slot = { alertId: delivery.alertId, stop: () => undefined as void };
    this.#stops.set(delivery.publicId, slot);
    const trip = this.#trip(delivery, slot)
      .then((outcome) => outcome.error !== 'stopped' && done(this.#progress(delivery, outcome)))
      .then(() => undefined)
      .finally(() => {
        this.#stops.delete(delivery.publicId);
        this.#underWay.delete(trip);
      });
    this.#underWay.add(trip);
    return true;
  }

  /** Sends a payload once, now, and says what became of it. */
  async sendNow(living: LivingAlert, payload: string): Promise<Undelivered> {
    const message = this.#messageFor(living, payload);
    return typeof message === 'string' ? notSent(message) : await this.sender.send(message);
  }

  /** Resolves when nothing is on its way. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** Takes nothing more, waits a moment for what is on its way, then breaks it off: it stays pending. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    const timer = setTimeout(() => {
      for (const { stop } of this.#stops.values()) stop();
    }, graceMs);
    await this.idle();
    clearTimeout(timer);
    this.sender.close();
  }

  async #trip(delivery: NewDelivery, slot: { stop: () => void }): Promise<Undelivered> {
    const living = this.book.get(delivery.alertId);
    if (living === null) return notSent('alert_removed');
    const message = this.#messageFor(living, delivery.payload);
    if (typeof message === 'string') return notSent(message);
    return await this.sender.send(message, (stop) => (slot.stop = stop));
  }

  /** The message, or a code of why there can be none. */
  #messageFor({ alert, definition }: LivingAlert, payload: string): WebhookMessage | string {
    const { masterKey, allowHttpUpstream, clock } = this.room;
    try {
      const url = revealed(alert, 'url', masterKey) ?? '';
      // What was allowed when the alert was made may not be any more.
      if (!(checkWebhookUrl(url, { allowHttp: allowHttpUpstream }) instanceof URL)) return 'address_refused';
      const secret = revealed(alert, 'secret', masterKey);
      return messageOf(payload, { format: definition.format, url, secret, nowSeconds: Math.floor(clock.nowMs() / 1_000) });
    } catch {
      return 'secret_unreadable';
    }
  }

  #progress({ publicId, attempts: before, createdAtMs }: NewDelivery, outcome: Undelivered): DeliveryProgress {
    const attempts = before + 1;
    if (outcome.delivered) return { publicId, state: 'delivered', attempts, nextAttemptAtMs: null, lastError: null };
    const isGone = outcome.error === 'alert_removed';
    const nextAttemptAtMs = isGone
      ? null
      : nextAttemptMs(attempts, createdAtMs, this.room.engine.nowMs(), this.random(), outcome.retryAfterSeconds);
    return { publicId, state: nextAttemptAtMs === null ? 'failed' : 'pending', attempts, nextAttemptAtMs, lastError: outcome.error };
  }
}

function notSent(error: string): Undelivered {
  return { delivered: false, status: null, error, retryAfterSeconds: null };
}
