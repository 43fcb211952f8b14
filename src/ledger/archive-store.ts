/** What copies, exports and monthly reports read of a ledger: all of it beside the hot path, in pages or in a Worker of its own. */
import type { CostBasis, Outcome } from '../domain/decision.ts';
import type { Reason } from '../domain/errors.ts';
import type { NanoUsd } from '../domain/money.ts';
import type { DecisionFilter, RecordedDecision, UsageFilter, UsageLine } from './store.ts';

/** What was found in a copy of a ledger after it was written. */
export interface CopyFacts {
  /** The last seq in it, and ledger time of its last row, milliseconds since 1970. */
  readonly lastSeq: number;
  readonly lastAtMs: number;
  readonly decisions: number;
  readonly settlements: number;
  readonly sizeBytes: number;
  /** Of the whole file, lower-case hexadecimal. */
  readonly sha256: string;
  /** The end of the chain as a line to keep elsewhere; null for a ledger without one. */
  readonly chainHead: string | null;
  /** What could not be told, for people. */
  readonly notes: readonly string[];
  /** One sentence for each thing that does not add up. Empty when the copy is good. */
  readonly problems: readonly string[];
}

/** Rows in the order of seq. `nextSeq` is where the next page begins, null at the end. */
export interface ExportPage {
  readonly rows: readonly RecordedDecision[];
  readonly nextSeq: number | null;
}

/** A day or an hour of usage. `nextMs` is where the next page begins, null at the end. */
export interface UsagePage {
  readonly lines: readonly UsageLine[];
  readonly nextMs: number | null;
}

/** What requests of live keys came to in a span, for a project and model, by how they ended. Corrections are in the cost. */
export interface SpendLine {
  readonly projectId: number;
  readonly model: string;
  /** A denial's reason or a settlement's outcome. */
  readonly reason: Reason | Outcome;
  readonly requests: number;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly costNanoUsd: NanoUsd;
}

/** What settled without the provider's own figures and was not corrected since, by project. */
export interface DoubtLine {
  readonly projectId: number;
  readonly basis: CostBasis;
  readonly requests: number;
  readonly costNanoUsd: NanoUsd;
}

/** A part of the doubts of a span. `nextSeq` is where the next part begins, null at the end. */
export interface DoubtPage {
  readonly lines: readonly DoubtLine[];
  readonly nextSeq: number | null;
}

/** Corrections of what settled in a span, by project; a project may have two lines, of which one was pruned. The difference is to the settled cost, below 0 where money was freed. */
export interface CorrectionLine {
  readonly projectId: number;
  readonly corrections: number;
  readonly differenceNanoUsd: NanoUsd;
}

/** A project by its names, also one that was deleted. */
export interface ProjectName {
  readonly id: number;
  readonly publicId: string;
  readonly workspaceId: number;
  readonly name: string;
}

/** A span of time, milliseconds since 1970: `toMs` is not part of it. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The part of the store that this is about. */
export interface ArchiveStore {
  /** Writes a consistent copy of the ledger into the empty file at `path`, and does not sync it. Rejects when that fails. */
  writeCopy(path: string): Promise<void>;
  /** Checks a copy that nobody writes to, and counts what is in it: minutes on a large one. */
  checkCopy(path: string): Promise<CopyFacts>;
  /** The last seq that was given out: an export ends there, whatever comes meanwhile. */
  lastSeq(): Promise<number>;
  /** Decisions with a seq from `fromSeq` up to `lastSeq`, oldest first: few at a time, so that no view of the file is held for long. */
  exportDecisions(filter: DecisionFilter, fromSeq: number, lastSeq: number): Promise<ExportPage>;
  /** Usage by day or hour, oldest first. */
  exportUsage(filter: UsageFilter, fromMs: number): Promise<UsagePage>;
  spend(span: Span): Promise<readonly SpendLine[]>;
  /** `fromSeq` 0 begins. */
  doubts(span: Span, fromSeq: number): Promise<DoubtPage>;
  correctionsIn(span: Span): Promise<readonly CorrectionLine[]>;
  projectNames(): Promise<readonly ProjectName[]>;
}
