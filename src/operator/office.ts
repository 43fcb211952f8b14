import type { Clock } from '../clock.ts';
import type { StateView } from '../domain/state.ts';
import type { Directory } from '../gateway/directory.ts';
import type { InFlight } from '../gateway/in-flight.ts';
import type { AuditEvent, Store } from '../ledger/store.ts';
import type { MasterKeyHome } from '../upstream/master-key-home.ts';
import type { MasterKey } from '../upstream/secrets.ts';
import type { AlertDesk } from './alerts/desk.ts';
import type { Surroundings } from './doctor/server.ts';
import type { KeyUses } from './key-use.ts';
import type { PriceBoard } from './price-board.ts';
import type { Backups } from './backups.ts';
import type { ProviderHealth } from './provider-health.ts';
import type { Pruning } from './pruning.ts';
import type { Registry } from './registry.ts';
import type { Replays } from './replay/replays.ts';
import type { Turns } from './turns.ts';

/** What operators ask of the engine that decides. */
export interface EngineRoom {
  /** Whether a decision could be committed right now. */
  readonly available: boolean;
  /** Ledger time, milliseconds since 1970. */
  readonly nowMs: () => number;
  /** False after a jump of the clock that nobody has confirmed: nothing is admitted. */
  readonly clockConfirmed: () => boolean;
  /** Takes the wall clock for right from now on. */
  readonly confirmClock: () => void;
}

/** Everything that the use cases of operators work with. Made once, in `app.ts`. */
export interface Office {
  readonly store: Store;
  readonly registry: Registry;
  readonly directory: Directory;
  readonly inFlight: InFlight;
  readonly masterKey: MasterKey;
  /** Where it comes from, and how it is replaced. */
  readonly keyHome: MasterKeyHome;
  readonly keyUses: KeyUses;
  readonly clock: Clock;
  readonly allowHttpUpstream: boolean;
  readonly engine: EngineRoom;
  /** The balances and windows that decisions are made on. */
  readonly state: StateView;
  readonly prices: PriceBoard;
  readonly turns: Turns;
  readonly replays: Replays;
  readonly backups: Backups;
  readonly pruning: Pruning;
  readonly alerts: AlertDesk;
  /** How the providers did lately. */
  readonly health: ProviderHealth;
  /** What the doctor looks at. */
  readonly surroundings: Surroundings;
}

/** Who is acting, from where: goes into every audit event. */
export interface Actor {
  /** The operator's public id, or `system`. */
  readonly id: string;
  readonly ip: string | null;
}

/** The audit event of a write. `detail` must hold no secret. */
export function auditOf(actor: Actor, action: string, subject: string, detail: AuditEvent['detail']): AuditEvent {
  return { actor: actor.id, action, subject, ip: actor.ip, detail };
}
