import type { Database, Statement } from 'bun:sqlite';
import type { Candidate } from '../../domain/candidate.ts';
import type { Reason } from '../../domain/errors.ts';
import type { NanoUsd } from '../../domain/money.ts';
import type { Draw, Finding } from '../../domain/verdict.ts';
import { DRAWS, valueOf } from '../sqlite/codes.ts';
import { decodeCandidate, type DecisionRecord } from '../sqlite/decode.ts';
import { DECISION_COLUMNS } from '../sqlite/rows.ts';

/** A judged request as the ledger has it: its facts, and what was decided. */
export interface RecordedRequest {
  readonly seq: number;
  readonly atMs: number;
  readonly candidate: Candidate;
  readonly policyVersion: number;
  /** Null is an allow. */
  readonly reason: Reason | null;
  /** How many equal denials the row stands for; 1 for an allow. */
  readonly count: number;
  /** Of an allow, else 0. */
  readonly holdNanoUsd: NanoUsd;
  readonly draws: Draw;
  readonly observed: readonly Finding[];
}

/** What a replay needs of a settlement. The cost is the one that it was settled at: corrections come later, as they came. */
export interface RecordedSettlement {
  readonly seq: number;
  readonly decisionSeq: number;
  readonly atMs: number;
  readonly costNanoUsd: NanoUsd;
  readonly countsVolume: boolean;
}

/** Rows of a range of seqs, each list in the order of seq. */
export interface HistoryPage {
  readonly requests: readonly RecordedRequest[];
  readonly settlements: readonly RecordedSettlement[];
}

/** Whose rows are read: those of one project, or those of every project of its workspace. */
export interface HistoryScope {
  readonly workspaceId: number;
  readonly projectId: number;
  readonly wholeWorkspace: boolean;
}

interface SettlementCells {
  readonly seq: number;
  readonly decisionSeq: number;
  readonly atMs: number;
  readonly costNanoUsd: number;
  readonly countsVolume: number;
}

const NOTHING_OBSERVED: readonly Finding[] = [];

/** A decision's columns under the names of its record. A 64-bit number comes as text; what was found against it is not read. */
const COLUMNS = DECISION_COLUMNS.split(', ')
  .map((column) => {
    if (column === 'finding') return 'NULL AS finding';
    const name = column.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    return column === 'fingerprint' ? 'CAST(fingerprint AS TEXT) AS fingerprint' : `${column} AS ${name}`;
  })
  .join(', ');

/** Reads the ledger page by page. Every page is a statement of its own, so that no view of the file is held for long. */
export class History {
  readonly #requests: Statement<DecisionRecord, number[]>;
  readonly #settlements: Statement<SettlementCells, number[]>;
  readonly #costs: Statement<{ cost: number }, [number]>;

  constructor(
    db: Database,
    readonly scope: HistoryScope,
  ) {
    // The plus keeps SQLite from an index on projects: rows of a range of seqs lie side by side in the table.
    const ofScope = scope.wholeWorkspace ? '+project_id IN (SELECT id FROM projects WHERE workspace_id = ?3)' : '+project_id = ?3';
    this.#requests = db.prepare(`SELECT ${COLUMNS} FROM decisions WHERE seq >= ?1 AND seq < ?2 AND ${ofScope} ORDER BY seq`);
    this.#settlements = db.prepare(
      `SELECT seq, decision_seq AS decisionSeq, at_ms AS atMs, cost_nano_usd AS costNanoUsd, counts_volume AS countsVolume
       FROM settlements WHERE seq >= ?1 AND seq < ?2 ORDER BY seq`,
    );
    this.#costs = db.prepare(
      `SELECT coalesce((SELECT c.cost_nano_usd FROM corrections c WHERE c.decision_seq = s.decision_seq ORDER BY c.seq DESC LIMIT 1),
       s.cost_nano_usd) AS cost FROM settlements s WHERE s.decision_seq = ?1`,
    );
  }

  /** The rows with a seq from `fromSeq` on and before `toSeq`. Settlements come of every project: whose they are tells their decision. */
  page(fromSeq: number, toSeq: number): HistoryPage {
    const { wholeWorkspace, workspaceId, projectId } = this.scope;
    const rows = this.#requests.all(fromSeq, toSeq, wholeWorkspace ? workspaceId : projectId);
    return {
      requests: rows.map((row) => requestOf(row, workspaceId)),
      settlements: this.#settlements.all(fromSeq, toSeq).map((row) => ({ ...row, countsVolume: row.countsVolume === 1 })),
    };
  }

  /** What a decision cost by all that is known today, or null when it has not settled. */
  costOf(decisionSeq: number): NanoUsd | null {
    return this.#costs.get(decisionSeq)?.cost ?? null;
  }

  /** Lets go of the statements, so that the connection can be closed. */
  finalize(): void {
    for (const statement of [this.#requests, this.#settlements, this.#costs]) statement.finalize();
  }
}

function requestOf(row: DecisionRecord, workspaceId: number): RecordedRequest {
  row.workspaceId = workspaceId;
  return {
    seq: row.seq,
    atMs: row.atMs,
    candidate: decodeCandidate(row),
    policyVersion: row.policyVersion,
    reason: row.reason as Reason | null,
    count: row.count,
    holdNanoUsd: row.holdNanoUsd ?? 0,
    draws: valueOf(DRAWS, row.draws),
    observed: row.observed === null ? NOTHING_OBSERVED : (JSON.parse(row.observed) as Finding[]),
  };
}
