import type { Decision, Outcome, Settlement } from '../domain/decision.ts';
import { decisionId } from '../domain/ids.ts';
import type { Usage } from '../domain/usage.ts';
import type { Allowed } from '../domain/verdict.ts';
import type { ExchangeOwner, Stoppable } from '../upstream/upstream.ts';
import type { Call } from './call.ts';
import type { CutReason, InFlight } from './in-flight.ts';
import type { PathObserver, RequestMark } from './observer.ts';
import type { Priced } from './price.ts';
import { settlementOf } from './settle.ts';

/** What the path needs to know of the ledger and the clock to end an attempt. */
export interface AttemptContext {
  readonly inFlight: InFlight;
  readonly settle: (settlement: Settlement) => void;
  readonly observers: readonly PathObserver[];
  /** Milliseconds of the monotonic clock. */
  readonly monotonicMs: () => number;
  readonly limits: {
    /** A client that takes nothing of its stream for so long is taken for gone. */
    readonly slowClientMs: number;
    /** How long the provider may take for its first byte, and how long it may then be silent. */
    readonly firstByteMs: number;
    readonly idleMs: number;
  };
}

/** What is known at the end of an attempt beside its outcome. */
export interface EndFacts {
  readonly usage: Usage | null;
  readonly responseId?: string | null;
  readonly mayHaveBilled: boolean;
  readonly streamed?: boolean;
  readonly deliveredTokens?: number;
}

/** Nothing reached the provider. */
export const NOTHING_SENT: EndFacts = { usage: null, mayHaveBilled: false };

/**
 * One request on its way through a provider, from its durable decision to its settlement.
 * Whatever ends it, and however many ends race, `end` settles exactly once.
 */
export class Attempt implements ExchangeOwner {
  readonly id: string;
  readonly verdict: Allowed;
  /** Those of when it was admitted: a change of settings is for requests that come after. */
  readonly limits: AttemptContext['limits'];
  upstreamStatus = 0;
  /** True from the moment in which bytes may have left for the provider. */
  wasSent = false;
  /** The tick at which the client was given bytes that it has not asked beyond yet, or null while we wait for the provider. */
  handedOverAtTick: number | null = null;
  /** Why we are ending it, once somebody decided so; the first reason stands. */
  stopReason: Extract<Outcome, 'client_aborted'> | CutReason | null = null;
  /** When it was admitted, and when it was handed to the provider's connection; of the monotonic clock. */
  readonly startedMs: number;
  sentMs: number | null = null;
  /** When the whole of an answer that is not passed on as it arrives was there, of the monotonic clock. */
  answeredMs: number | null = null;
  /** There when somebody follows its request. */
  mark: RequestMark | null = null;
  #firstByteMs: number | null = null;
  #settlement: Settlement | null = null;
  #exchange: Stoppable | null = null;
  #tellRelay: (() => void) | null = null;
  #lasted = false;

  constructor(
    readonly decision: Decision,
    readonly priced: Priced,
    readonly context: AttemptContext,
    /** The request that it answers. */
    readonly call: Pick<Call, 'arrivedMs' | 'onLasting' | 'onEnd'>,
  ) {
    this.id = decisionId(decision.seq, decision.atMs);
    this.verdict = decision.verdict as Allowed;
    this.startedMs = context.monotonicMs();
    this.limits = context.limits;
    context.inFlight.add(this);
  }

  /** When its request came in, of the monotonic clock. */
  get arrivedMs(): number {
    return this.call.arrivedMs;
  }

  get projectId(): number {
    return this.priced.candidate.projectId;
  }

  get workspaceId(): number {
    return this.priced.candidate.workspaceId;
  }

  get keyId(): number {
    return this.priced.keyId;
  }

  get settlement(): Settlement | null {
    return this.#settlement;
  }

  /** Takes the exchange that is about to begin; it is ended, at once, when a stop came before it. */
  began(exchange: Stoppable): void {
    this.#exchange = exchange;
    if (this.stopReason !== null) exchange.hangUp();
  }

  /** Says who passes the answer on. It is told of a stop, because it may be waiting for its client and see nothing of it. */
  onStopWhileRelaying(tellRelay: () => void): void {
    this.#tellRelay = tellRelay;
    if (this.stopReason !== null) tellRelay();
  }

  /** A tick of the coarse clock has passed: called for every attempt in flight, acts once. */
  lasts(): void {
    if (this.#lasted) return;
    this.#lasted = true;
    this.call.onLasting?.();
  }

  /** The client went away, or a watchdog fired: the upstream request is aborted and its reader sees why. */
  stop(reason: NonNullable<Attempt['stopReason']>): void {
    if (this.stopReason !== null || this.#settlement !== null) return;
    this.stopReason = reason;
    this.#exchange?.hangUp();
    this.#tellRelay?.();
  }

  /** Closes the exchange with the provider, whatever its state: nobody reads on. */
  hangUp(): void {
    this.#exchange?.hangUp();
  }

  /** Ends the attempt for a reason of ours: Sentry Mode, a revoked key, a stop of the process. */
  cut(reason: CutReason): void {
    this.stop(reason);
  }

  gotHeaders(status: number): void {
    this.upstreamStatus = status;
    this.#firstByteMs = this.context.monotonicMs() - this.startedMs;
  }

  /** Something broke inside of us. What was sent may be billed. */
  fail(): void {
    this.hangUp();
    this.end(this.wasSent ? 'upstream_interrupted' : 'not_sent', { usage: null, mayHaveBilled: this.wasSent });
  }

  /** Settles. The first call counts, all others are ignored. */
  end(outcome: Outcome, facts: EndFacts): Settlement {
    if (this.#settlement !== null) return this.#settlement;
    this.#settlement = settlementOf(this.decision, this.priced, {
      outcome,
      upstreamStatus: this.upstreamStatus,
      usage: facts.usage,
      responseId: facts.responseId ?? null,
      mayHaveBilled: facts.mayHaveBilled,
      streamed: facts.streamed ?? false,
      deliveredTokens: facts.deliveredTokens ?? 0,
      firstByteMs: this.#firstByteMs,
      durationMs: this.context.monotonicMs() - this.startedMs,
    });
    this.context.inFlight.remove(this);
    this.context.settle(this.#settlement);
    for (const observer of this.context.observers) observer.ended?.(this);
    if (this.#lasted) this.call.onEnd?.(this.stopReason !== null);
    return this.#settlement;
  }
}
