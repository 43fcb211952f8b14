import type { Clock } from '../clock.ts';
import type { StateView } from '../domain/state.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Catalogue } from '../pricing/catalogue.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { AttemptContext } from './attempt.ts';
import type { BodyBudget } from './body-budget.ts';
import type { Directory } from './directory.ts';
import type { InFlight } from './in-flight.ts';
import type { Follow, PathObserver } from './observer.ts';
import type { OriginRules } from './origin.ts';
import type { ReceiveLimits } from './receive.ts';

/** Limits of the path. Swapped as a whole when the settings are read again. */
export interface PathLimits extends ReceiveLimits {
  readonly requestsInFlight: number;
  readonly firstByteMs: number;
  readonly idleMs: number;
  /** A client that takes nothing of its stream for so long is taken for gone. */
  readonly slowClientMs: number;
}

/** Everything that the path works with. Made once, in `app.ts`. */
export interface Gateway extends AttemptContext {
  readonly ledger: Ledger;
  /** What the ledger knows, for judging what makes no row. */
  readonly state: StateView;
  readonly directory: Directory;
  /** Swapped as a whole when prices change. */
  catalogue: Catalogue;
  /** The project that a stored response was made for, or null. */
  readonly responseOwner: (responseId: string) => Promise<number | null>;
  readonly providers: Upstream;
  readonly simulator: Upstream;
  readonly clock: Clock;
  limits: PathLimits;
  readonly bodies: BodyBudget;
  readonly inFlight: InFlight;
  /** Swapped as a whole when the settings are read again. */
  origin: OriginRules;
  /** In the order in which they are told. Others may be added while the process starts. */
  readonly observers: PathObserver[];
  /** Set while single requests are followed: traces, or a log line for each. */
  follow?: Follow;
  /** True once the process has begun to stop: nothing new is admitted. */
  stopping: boolean;
}
