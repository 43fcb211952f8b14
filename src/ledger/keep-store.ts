/** What keeps a ledger in order over the years: proof that nobody touched it, and letting old rows go. */
import type { AuditEvent } from './store.ts';

/** The end of a ledger's chain at an earlier time. See `parseHead`. */
export interface EarlierHead {
  readonly link: number;
  /** The link's mac, hexadecimal. */
  readonly mac: string;
}

/** A row that is not as the chain has it. */
export interface BadRowReport {
  readonly table: string;
  readonly seq: number;
  readonly change: 'changed' | 'removed' | 'inserted' | 'reordered';
}

/** What verifying the ledger found. */
export interface LedgerReport {
  readonly decisions: number;
  readonly settlements: number;
  /** One sentence for each difference. Empty when all is well. */
  readonly problems: readonly string[];
  /** The first row that was touched; null when there is none. */
  readonly firstBadRow: BadRowReport | null;
  /** What could not be told, for people. */
  readonly notes: readonly string[];
  /** The end of the chain as a line to keep elsewhere; null when there is no chain. */
  readonly head: string | null;
}

/** A place in the chain: a link, and a row in it. Link 0 stands for the rows that are older than the chain. */
export interface PrunePlace {
  readonly link: number;
  readonly row: number;
}

/** What a step of pruning is asked. */
export interface PruneStep {
  /** Nothing from this seq on is pruned. */
  readonly beforeSeq: number;
  /** Where the step before ended; null at first. */
  readonly from: PrunePlace | null;
  /** How many decisions and settlements are looked at. */
  readonly maxRows: number;
}

/** What a step of pruning did. */
export interface PrunedStep {
  readonly decisions: number;
  readonly settlements: number;
  readonly corrections: number;
  /** Where the next step goes on; null when nothing is left that is old enough. */
  readonly next: PrunePlace | null;
}

/** Part of the store. */
export interface KeepStore {
  /** Proves every row by the chain and recomputes what is derived, beside all other reads: minutes on a large ledger. */
  verify(earlier?: EarlierHead | null): Promise<LedgerReport>;
  /** The end of the chain as a line to keep elsewhere. */
  chainHead(): Promise<string>;
  /** The first seq whose row is not older than this moment (ledger time, milliseconds since 1970). */
  firstSeqFrom(atMs: number): Promise<number>;
  /** One short transaction of pruning. Null when the writer died over it: the step may be done or not, and can be asked for again. */
  prune(step: PruneStep, audit?: AuditEvent): Promise<PrunedStep | null>;
}
