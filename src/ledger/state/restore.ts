import type { NanoUsd } from '../../domain/money.ts';
import type { Belonging } from '../../domain/state.ts';
import type { Draw } from '../../domain/verdict.ts';

/** Spend that the ledger has in its rows, as start-up hands it over. */
export interface RestoredSpend {
  readonly who: Belonging;
  /** From `spendLabel`. */
  readonly label: string;
  readonly costNanoUsd: NanoUsd;
  /** When it settled; of a sum, the latest moment at which a part of it can have settled. Never in the future. */
  readonly atMs: number;
}

/** An admission of the last hour, open or settled. */
export interface RestoredAdmission {
  readonly who: Belonging;
  readonly fingerprint: bigint;
  readonly atMs: number;
}

/** An allowed decision without a settlement. */
export interface RestoredHold {
  readonly seq: number;
  readonly who: Belonging;
  readonly label: string;
  readonly fingerprint: bigint;
  readonly holdNanoUsd: NanoUsd;
  readonly draws: Draw;
  readonly atMs: number;
}

/** Settled volume of a workspace in one month. */
export interface RestoredVolume {
  readonly environmentTest: boolean;
  readonly workspaceId: number;
  /** The first millisecond of the month, UTC. */
  readonly monthStartMs: number;
  /** Requests that the plan included, those on credits left out. */
  readonly includedRequests: number;
  readonly creditRequests: number;
}

/** A hold that waits for its settlement. */
export interface OpenHold {
  readonly seq: number;
  readonly atMs: number;
  readonly who: Belonging;
  readonly label: string;
  readonly fingerprint: bigint;
  readonly holdNanoUsd: NanoUsd;
  readonly draws: Draw;
}
