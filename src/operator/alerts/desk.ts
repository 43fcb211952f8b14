import type { CreditEntry, DirectorySnapshot, SentrySwitch } from '../../ledger/store.ts';
import type { WebhookSender } from '../../upstream/webhook.ts';
import { AlertBook } from './book.ts';
import { budgetEvents } from './budgets.ts';
import type { AlertEvent } from './event.ts';
import { overrunEvent, recordedDenial, recordedOverrun, seenUser, sentryEvent } from './happenings.ts';
import type { LedgerNews } from './ledger-news.ts';
import { KEPT_MS, OldDeliveries } from './old-deliveries.ts';
import { Outbox } from './outbox.ts';
import { Postman } from './postman.ts';
import { PROVIDER_TYPES, ProviderWatch } from './providers.ts';
import type { AlertRoom } from './room.ts';
import { LEDGER_TYPES, ServerWatch } from './server-watch.ts';
import { volumeEvents } from './volume.ts';
import { Witness, type BudgetDenial, type Touched } from './witness.ts';

const TURN_MS = 1_000;
/** How often all balances are looked at, and not only those that have moved: a changed policy or a correction shows then. */
const EVERYBODY_MS = 30_000;
/** How long a stop waits for messages that are on their way. */
const CLOSE_MS = 3_000;
/** Switches that were turned this long before a start may still be untold. */
const UNTOLD_MS = 86_400_000;

/** What was found at the start. */
interface Before {
  readonly switches: readonly SentrySwitch[];
  readonly workspaceIds: readonly number[];
}

/** What a desk is made of. */
export interface AlertParts {
  readonly room: AlertRoom;
  readonly snapshot: DirectorySnapshot;
  readonly sender: WebhookSender;
  readonly news: LedgerNews;
  /** From 0 to 1, spreads repeated attempts. */
  readonly random: () => number;
  /** Told of a defect that broke off a look: when it begins, and not with every look that it breaks off. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Where everything about alerts comes together: once a second, off the path of requests, it looks at what has moved, puts what has
 * to be told into the outbox, and sends what is due.
 */
export class AlertDesk {
  /** For `Gateway.observers`. */
  readonly witness: Witness;
  readonly book: AlertBook;
  readonly postman: Postman;
  readonly #outbox: Outbox;
  readonly #oldDeliveries: OldDeliveries;
  readonly #providers: ProviderWatch;
  readonly #server: ServerWatch;
  readonly #grants = new Map<number, CreditEntry>();
  /** Happenings that are told once and cannot be seen again by looking. */
  #happened: AlertEvent[] = [];
  /** What happened before the start; null once it was looked at. */
  #before: Before | null;
  #everybodyAtMs = -Infinity;
  #timer: Timer | null = null;
  #turning: Promise<void> | null = null;
  #isFailing = false;

  constructor(readonly parts: AlertParts) {
    const { room, snapshot, sender, news, random } = parts;
    this.book = new AlertBook(snapshot.alerts, room.registry);
    this.postman = new Postman(room, this.book, sender, random);
    this.#outbox = new Outbox(room, this.book, this.postman);
    this.#oldDeliveries = new OldDeliveries(room, this.book);
    this.#providers = new ProviderWatch(room, this.book);
    this.#server = new ServerWatch(room, news);
    this.witness = new Witness(
      () => !this.book.isEmpty,
      () => room.clock.monotonicMs(),
    );
    this.#before = { switches: snapshot.switches, workspaceIds: snapshot.workspaces.map(({ id }) => id) };
  }

  /** Begins to look, once a second. */
  start(): void {
    this.#timer ??= setInterval(() => void this.turn(), TURN_MS);
  }

  /** One look, and what follows from it. Resolves when what was found is in the database, or cannot be; sending goes on. Never rejects. */
  turn(): Promise<void> {
    this.#turning ??= this.#turn()
      .then(
        () => (this.#isFailing = false),
        (error: unknown) => this.#failed(error),
      )
      .then(() => void (this.#turning = null));
    return this.#turning;
  }

  /** Resolves when nothing is on its way to a receiver. */
  idle(): Promise<void> {
    return this.#outbox.idle();
  }

  /** The Sentry switch was turned, and that is durable. */
  switched(turn: SentrySwitch): void {
    this.#happened.push(...sentryEvent(this.parts.room, turn));
  }

  /** Credits were granted, and that is durable. Credits that were taken back are no measure. */
  granted(entry: CreditEntry): void {
    if (entry.requests > 0) this.#grants.set(entry.workspaceId, entry);
  }

  /** An alert was made or changed: it hears of all that is true by now. */
  lookAtEverybody(): void {
    this.#everybodyAtMs = -Infinity;
  }

  /** Ends: what is on its way gets a moment, what is pending waits for the next start. */
  async close(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    await this.#turning;
    await this.postman.close(CLOSE_MS);
    await this.#outbox.idle();
  }

  /** Whoever only looks on must never end the server. */
  #failed(error: unknown): void {
    if (!this.#isFailing) this.parts.onFailure(error);
    this.#isFailing = true;
  }

  async #turn(): Promise<void> {
    const { room } = this.parts;
    const notes = this.witness.takeNotes();
    const happened = this.#happened;
    this.#happened = [];
    if (this.book.isEmpty) return this.#oldDeliveries.turn();
    const before = await this.#lookBack();
    const touched = [...before.touched, ...notes.touched];
    const denials = [...before.denials, ...notes.denials];
    const overruns = notes.overruns.map((overrun) => overrunEvent(room, overrun, null));
    this.#outbox.take([...before.events, ...happened, ...overruns, ...this.#server.events()]);
    this.#outbox.take(budgetEvents(room, { touched, denials, everybody: this.#everybodyIsDue() }, this.#thresholds()));
    this.#outbox.take(volumeEvents(room, this.#grants));
    for (const { living, event } of this.#providers.events(this.witness.connections, room.clock.monotonicMs()))
      this.#outbox.takeFor(living, event);
    await this.#outbox.turn();
    await this.#oldDeliveries.turn();
  }

  #everybodyIsDue(): boolean {
    const nowMs = this.parts.room.clock.monotonicMs();
    if (nowMs - this.#everybodyAtMs < EVERYBODY_MS) return false;
    this.#everybodyAtMs = nowMs;
    return true;
  }

  /** Every threshold that some alert wants to hear of. */
  #thresholds(): number[] {
    const wanted = this.book.list().filter(({ definition }) => definition.events.includes('budget'));
    return [...new Set(wanted.flatMap(({ definition }) => definition.thresholds))].toSorted((a, b) => a - b);
  }

  /** With the first look: what may have happened untold before the start, which a crash may have ended. */
  async #lookBack(): Promise<{ touched: Touched[]; denials: BudgetDenial[]; events: AlertEvent[] }> {
    const found = this.#before;
    if (found === null) return { touched: [], denials: [], events: [] };
    const { room } = this.parts;
    const { store } = room;
    try {
      const [past, providers, server] = await Promise.all([
        store.lookBack(),
        store.newestDeliveries(PROVIDER_TYPES),
        store.newestDeliveries(LEDGER_TYPES),
      ]);
      for (const id of found.workspaceIds) for (const entry of (await store.listCredits(id)).toReversed()) this.granted(entry);
      this.#providers.remember(providers);
      this.#server.remember(server);
      this.#before = null;
      const nowMs = room.engine.nowMs();
      const sinceMs = nowMs - UNTOLD_MS;
      const turns = found.switches.filter(({ atMs }) => atMs >= sinceMs);
      return {
        touched: past.users.flatMap((user) => seenUser(room, user)),
        denials: past.denials.flatMap(recordedDenial),
        events: [
          ...past.overruns
            // What is older may have been told, and its row in the outbox be gone.
            .filter(({ decision }) => decision.atMs >= nowMs - KEPT_MS)
            .map((row) => overrunEvent(room, recordedOverrun(row), row.settlement?.atMs ?? null)),
          ...turns.flatMap((turn) => sentryEvent(room, turn)),
        ],
      };
    } catch {
      // The ledger cannot be read now: the next look tries again.
      return { touched: [], denials: [], events: [] };
    }
  }
}
