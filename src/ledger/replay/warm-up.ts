import type { Database, Statement } from 'bun:sqlite';
import type { Belonging } from '../../domain/state.ts';
import { DRAWS, valueOf } from '../sqlite/codes.ts';
import { labelOf, type ModelColumns } from '../sqlite/label.ts';
import { dayStart, hourStart, KEPT_MS, monthStart } from '../sqlite/periods.ts';
import { belongingOfRow, endUserOf, RECENT_MS, type BelongingRow } from '../sqlite/recover-windows.ts';
import type { LedgerState } from '../state.ts';
import { all, switchesBefore } from './acts.ts';
import { oneNumber, seqFrom, type Span } from './span.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How many seqs are read row by row before the span, at most; what settled before them is known by the hour. */
const MAX_EXACT_SEQS = 3_000_000;
const PAGE_SEQS = 8_192;
const SCAN_SEQS = 65_536;

/** What the policies that will judge must know of the time before the span. */
export interface WarmUpNeeds {
  readonly workspaceId: number;
  readonly projectId: number;
  /** The longest rolling window of money, milliseconds: so much is read row by row. */
  readonly windowMs: number;
  /** Whether end users have limits of their own. */
  readonly users: boolean;
  /** Whether the plan has a volume. */
  readonly volume: boolean;
}

/**
 * Makes `memory` what it was when the span began: sums of the derived tables for what is long ago, rows for what is recent, holds that
 * were open. `pause` is awaited between pages. Returns since when spend stands in single rows; corrections of older spend are in the sums.
 */
export async function warmUp(
  db: Database,
  memory: LedgerState,
  span: Span,
  needs: WarmUpNeeds,
  pause: () => Promise<void>,
): Promise<number> {
  for (const { owner, enabled } of switchesBefore(db, span.fromSeq, needs.workspaceId, needs.projectId)) memory.setSentry(owner, enabled);
  const exactFromMs = exactFrom(db, span, needs);
  restoreSums(db, memory, exactFromMs, needs);
  const pages = new Pages(db, memory, span, needs, pause);
  await pages.spend(exactFromMs);
  await pages.volume();
  await pages.admissions();
  await pages.openHolds();
  return exactFromMs;
}

/** Where rows take over from sums: at the beginning of an hour, or of a day where end users are counted, so that none counts twice. */
function exactFrom(db: Database, span: Span, { windowMs, users }: WarmUpNeeds): number {
  const start = users ? dayStart : hourStart;
  const leastSeq = span.fromSeq - MAX_EXACT_SEQS;
  const leastMs =
    leastSeq <= 0 ? 0 : (oneNumber(db, 'SELECT at_ms AS value FROM decisions WHERE seq >= ? ORDER BY seq LIMIT 1', [leastSeq]) ?? 0);
  const afterLeast = leastMs === 0 ? 0 : start(leastMs) + (users ? DAY_MS : HOUR_MS);
  const wanted = start(Math.max(0, span.fromMs - Math.max(RECENT_MS, windowMs)));
  return Math.min(Math.max(wanted, afterLeast), start(span.fromMs));
}

interface SumRow {
  readonly startMs: number;
  readonly test: number;
  readonly projectId: number;
  readonly keyId: number;
  /** `project:user`, or null where no user is meant. */
  readonly scopeId: string | null;
  readonly label: string;
  readonly cost: number;
}

/** Hours before ?1 in the order of time; those before ?2 in one sum for each key and label. */
const HOURS = `SELECT max(r.hour_ms) AS startMs, r.test, r.project_id AS projectId, r.key_id AS keyId, NULL AS scopeId, r.model AS label,
  sum(r.cost_nano_usd) AS cost FROM usage_rollups r JOIN projects p ON p.id = r.project_id
  WHERE r.hour_ms < ?1 AND r.cost_nano_usd > 0 AND p.workspace_id = ?3
  GROUP BY iif(r.hour_ms < ?2, 0, r.hour_ms), r.test, r.project_id, r.key_id, r.model ORDER BY 1`;

/** The same for days of end users. */
const USER_DAYS = `SELECT max(b.period_start_ms) AS startMs, b.test, p.id AS projectId, 0 AS keyId,
  b.scope_id AS scopeId, b.model AS label, sum(b.settled_nano_usd) AS cost
  FROM balances b JOIN projects p ON p.id = CAST(substr(b.scope_id, 1, instr(b.scope_id, ':') - 1) AS INTEGER)
  WHERE b.scope = 'user' AND b.period_start_ms < ?1 AND b.settled_nano_usd > 0 AND p.workspace_id = ?3
  GROUP BY iif(b.period_start_ms < ?2, 0, b.period_start_ms), b.test, b.scope_id, b.model ORDER BY 1`;

function restoreSums(db: Database, memory: LedgerState, exactFromMs: number, { workspaceId, users }: WarmUpNeeds): void {
  const bindings = [exactFromMs, dayStart(Math.max(0, exactFromMs - KEPT_MS)), workspaceId];
  const whoOf = (row: SumRow): Belonging =>
    belongingOfRow({ ...row, workspaceId, endUser: row.scopeId && endUserOf(row.scopeId), ip: null });
  for (const row of all<SumRow>(db, HOURS, bindings))
    memory.restoreSpend({ who: whoOf(row), label: row.label, costNanoUsd: row.cost, atMs: row.startMs + HOUR_MS - 1 });
  if (!users) return;
  for (const row of all<SumRow>(db, USER_DAYS, bindings))
    memory.restoreUserSpend({ who: whoOf(row), label: row.label, costNanoUsd: row.cost, atMs: row.startMs + DAY_MS - 1 });
}

const WHO = 'd.test, ?3 AS workspaceId, d.project_id AS projectId, d.key_id AS keyId, d.end_user AS endUser, d.ip';
const OF_WORKSPACE = '+d.project_id IN (SELECT id FROM projects WHERE workspace_id = ?3)';

const SPEND = `SELECT s.at_ms AS atMs, d.model, d.models, ${WHO}, coalesce((SELECT c.cost_nano_usd FROM corrections c
  WHERE c.decision_seq = s.decision_seq AND c.seq < ?4 ORDER BY c.seq DESC LIMIT 1), s.cost_nano_usd) AS cost
  FROM settlements s JOIN decisions d ON d.seq = s.decision_seq WHERE s.seq >= ?1 AND s.seq < ?2 AND ${OF_WORKSPACE} ORDER BY s.seq`;

const ADMISSIONS = `SELECT d.at_ms AS atMs, CAST(d.fingerprint AS TEXT) AS fingerprint, ${WHO} FROM decisions d
  WHERE d.seq >= ?1 AND d.seq < ?2 AND d.reason IS NULL AND ${OF_WORKSPACE} ORDER BY d.seq`;

const VOLUME = `SELECT d.test, count(*) AS requests, sum(d.draws = 2) AS credits FROM settlements s JOIN decisions d ON d.seq = s.decision_seq
  WHERE s.seq >= ?1 AND s.seq < ?2 AND s.counts_volume = 1 AND ${OF_WORKSPACE} GROUP BY d.test`;

const HELD = `SELECT d.seq, d.at_ms AS atMs, d.model, d.models, CAST(d.fingerprint AS TEXT) AS fingerprint, d.hold_nano_usd AS hold, d.draws,
  ${WHO} FROM decisions d WHERE d.seq IN (SELECT value FROM json_each(?1)) AND d.seq < ?2 AND d.reason IS NULL AND ${OF_WORKSPACE} ORDER BY d.seq`;

/** The parts that are read row by row. */
class Pages {
  constructor(
    readonly db: Database,
    readonly memory: LedgerState,
    readonly span: Span,
    readonly needs: WarmUpNeeds,
    readonly pause: () => Promise<void>,
  ) {}

  async spend(fromMs: number): Promise<void> {
    type Row = BelongingRow & ModelColumns & { atMs: number; cost: number };
    const restore = (row: Row): void => {
      if (row.cost === 0) return;
      this.memory.restoreSettled({ who: belongingOfRow(row), label: labelOf(row), costNanoUsd: row.cost, atMs: row.atMs });
    };
    await this.#each(this.db.prepare<Row, number[]>(SPEND), seqFrom(this.db, fromMs), this.span.fromSeq, restore, [this.span.fromSeq]);
  }

  async admissions(): Promise<void> {
    type Row = BelongingRow & { atMs: number; fingerprint: string };
    await this.#each(
      this.db.prepare<Row, number[]>(ADMISSIONS),
      seqFrom(this.db, this.span.fromMs - RECENT_MS),
      this.span.fromSeq,
      (row) => {
        const fingerprint = BigInt.asUintN(64, BigInt(row.fingerprint));
        this.memory.restoreAdmitted({ who: belongingOfRow(row), fingerprint, atMs: row.atMs });
      },
    );
  }

  /** Whole months from their sums, the month of the beginning from its rows. */
  async volume(): Promise<void> {
    const { workspaceId } = this.needs;
    const granted = 'SELECT sum(requests) AS value FROM credit_entries WHERE workspace_id = ? AND seq < ?';
    this.memory.grantCredits(workspaceId, oneNumber(this.db, granted, [workspaceId, this.span.fromSeq]) ?? 0);
    if (!this.needs.volume) return;
    const monthMs = monthStart(this.span.fromMs);
    const restore = (test: number, monthStartMs: number, requests: number, creditRequests: number): void =>
      this.memory.restoreVolume({
        environmentTest: test === 1,
        workspaceId,
        monthStartMs,
        includedRequests: requests - creditRequests,
        creditRequests,
      });
    type Month = { test: number; startMs: number; requests: number; credits: number };
    const months = `SELECT test, period_start_ms AS startMs, requests, credits FROM balances
      WHERE scope = 'workspace' AND scope_id = ? AND period_start_ms < ? ORDER BY period_start_ms`;
    for (const row of all<Month>(this.db, months, [String(workspaceId), monthMs]))
      restore(row.test, row.startMs, row.requests, row.credits);
    type Part = { test: number; requests: number; credits: number };
    await this.#each(this.db.prepare<Part, number[]>(VOLUME), seqFrom(this.db, monthMs), this.span.fromSeq, (row) =>
      restore(row.test, monthMs, row.requests, row.credits),
    );
  }

  /** What settled within the span or later, or not at all, although it was admitted before. */
  async openHolds(): Promise<void> {
    const { fromSeq, endSeq } = this.span;
    const open: number[] = [];
    const later = this.db.prepare<{ seq: number }, number[]>(
      'SELECT decision_seq AS seq FROM settlements WHERE seq >= ?1 AND seq < ?2 AND decision_seq < ?3',
    );
    for (let seq = fromSeq; seq < endSeq; seq += SCAN_SEQS) {
      for (const row of later.all(seq, seq + SCAN_SEQS, fromSeq)) open.push(row.seq);
      await this.pause();
    }
    later.finalize();
    const unsettled = `SELECT d.seq FROM decisions d LEFT JOIN settlements s ON s.decision_seq = d.seq
      WHERE d.seq >= (SELECT lowest_open_seq FROM checkpoint) AND d.seq < ? AND d.reason IS NULL AND s.seq IS NULL`;
    for (const { seq } of all<{ seq: number }>(this.db, unsettled, [fromSeq])) open.push(seq);
    type Row = BelongingRow & ModelColumns & { seq: number; atMs: number; fingerprint: string; hold: number; draws: number };
    for (const row of all<Row>(this.db, HELD, [JSON.stringify(open), fromSeq, this.needs.workspaceId])) {
      const fingerprint = BigInt.asUintN(64, BigInt(row.fingerprint));
      const draws = valueOf(DRAWS, row.draws);
      this.memory.restoreOpen({
        seq: row.seq,
        atMs: row.atMs,
        who: belongingOfRow(row),
        label: labelOf(row),
        fingerprint,
        holdNanoUsd: row.hold,
        draws,
      });
    }
  }

  async #each<Row>(
    statement: Statement<Row, number[]>,
    fromSeq: number,
    toSeq: number,
    visit: (row: Row) => void,
    more: number[] = [],
  ): Promise<void> {
    try {
      for (let seq = fromSeq; seq < toSeq; seq += PAGE_SEQS) {
        for (const row of statement.all(seq, Math.min(seq + PAGE_SEQS, toSeq), this.needs.workspaceId, ...more)) visit(row);
        await this.pause();
      }
    } finally {
      statement.finalize();
    }
  }
}
