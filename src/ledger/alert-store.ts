/** What alerts keep in the ledger's database: the outbox of what is to be told, and looks at what has just happened. */
import type { RecordedDecision, Page } from './store.ts';

/** `pending` waits for its next attempt, `failed` is given up. */
export const DELIVERY_STATES = ['pending', 'delivered', 'failed'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** How far a delivery has come. */
export interface DeliveryProgress {
  readonly publicId: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  /** Ledger time in milliseconds; null unless pending. */
  readonly nextAttemptAtMs: number | null;
  /** A short code, never an address or a text of the receiver. */
  readonly lastError: string | null;
}

/** An event that one alert is to tell. */
export interface NewDelivery extends DeliveryProgress {
  readonly alertId: number;
  /** The same event of the same alert has the same key, whenever it is noticed again. */
  readonly dedupeKey: string;
  readonly type: string;
  /** The public id of what it is about. */
  readonly subject: string;
  /** JSON text, as the generic format sends it. */
  readonly payload: string;
  readonly createdAtMs: number;
}

/** A row of the outbox. */
export interface StoredDelivery extends NewDelivery {
  readonly id: number;
}

/** What has to be known of a row that is told or given up, to say whether it may go. */
export type SettledDelivery = Pick<StoredDelivery, 'id' | 'alertId' | 'type' | 'dedupeKey'>;

export interface DeliveryFilter {
  readonly alertIds?: readonly number[];
  readonly state?: DeliveryState;
}

/** What may be sent now, and when there will be more. */
export interface DueDeliveries {
  readonly rows: readonly StoredDelivery[];
  /** When the earliest of the others is due; null when nothing else waits. */
  readonly nextAtMs: number | null;
}

/** An end user who was judged lately. */
export interface SeenUser {
  readonly projectId: number;
  readonly endUser: string;
}

/** What the last rows of the ledger tell, live traffic only. */
export interface LookBack {
  /** The newest denial by a budget of each project, key, reason and end user. */
  readonly denials: readonly RecordedDecision[];
  /** Decisions whose settlement was an overrun, oldest first. */
  readonly overruns: readonly RecordedDecision[];
  readonly users: readonly SeenUser[];
}

/** How many deliveries there are of each state. */
export type DeliveryCounts = Readonly<Record<DeliveryState, number>>;

/** Sealed values of an alert, made again with another master key. */
export interface ResealedAlert {
  readonly id: number;
  readonly sealedUrl: Uint8Array | null;
  readonly sealedSecret: Uint8Array | null;
}

/** The part of the store that alerts work with. */
export interface AlertStore {
  /** Puts events into the outbox; those that are there already are left as they are. */
  fireAlerts(deliveries: readonly NewDelivery[]): Promise<void>;
  recordDeliveries(progress: readonly DeliveryProgress[]): Promise<void>;
  /** Takes rows out of the outbox; those that are pending stay. */
  dropDeliveries(ids: readonly number[]): Promise<void>;
  /** Replaces sealed values, all in one transaction. */
  resealAlerts(resealed: readonly ResealedAlert[]): Promise<void>;
  /** Pending deliveries whose time has come, oldest first; those of `busyAlertIds` and `busyIds` are left out. */
  dueDeliveries(nowMs: number, limit: number, busyAlertIds: readonly number[], busyIds: readonly string[]): Promise<DueDeliveries>;
  /** Newest first. The cursor is what the page before ended with. */
  listDeliveries(filter: DeliveryFilter, cursor: number | null, limit: number): Promise<Page<StoredDelivery>>;
  deliveryCounts(): Promise<DeliveryCounts>;
  /** What was made before a moment and waits for nothing any more, in the order of ids from `afterId` on. */
  settledDeliveries(beforeMs: number, afterId: number, limit: number): Promise<readonly SettledDelivery[]>;
  /** The newest delivery of each alert and subject among these types: tells what was said last. */
  newestDeliveries(
    types: readonly string[],
  ): Promise<readonly Pick<StoredDelivery, 'alertId' | 'subject' | 'type' | 'dedupeKey' | 'createdAtMs'>[]>;
  /** What may have gone unnoticed before a crash. */
  lookBack(): Promise<LookBack>;
}
