import type { Database } from 'bun:sqlite';
import { OUTCOMES } from './codes.ts';
import { COST_IN_FORCE } from './corrections.ts';
import { closeFully, openForReading } from './open.ts';

/** Something in a ledger that is not as its rows say. */
export interface LedgerFinding {
  /** `integrity`, `reference`, `order`, `rollup`, `balance`, `open` or `checkpoint`. */
  readonly kind: string;
  /** What was found, ready to print. */
  readonly detail: string;
}

const MAX_FINDINGS = 100;
const HOUR = 3_600_000;
const DAY = 86_400_000;

const LABEL = `iif(d.models IS NULL, d.model, (SELECT group_concat(value, ',') FROM json_each(d.models)))`;
const OUTCOME = `CASE s.outcome ${OUTCOMES.map((name, code) => `WHEN ${code} THEN '${name}'`).join(' ')} END`;
const MONTH = `CAST(strftime('%s', s.at_ms / 1000, 'unixepoch', 'start of month') AS INTEGER) * 1000`;
const SETTLED = 'settlements s JOIN decisions d ON d.seq = s.decision_seq';

/** `usage_rollups` as the rows have it. */
const ROLLUPS = `
  SELECT s.at_ms - s.at_ms % ${HOUR}, d.project_id, d.key_id, d.test, ${LABEL}, coalesce(d.country, ''), ${OUTCOME}, count(*),
    sum(coalesce(s.input_tokens, 0)), sum(coalesce(s.cached_input_tokens, 0)), sum(coalesce(s.output_tokens, 0)), sum(${COST_IN_FORCE})
  FROM ${SETTLED} GROUP BY 1, 2, 3, 4, 5, 6, 7
  UNION ALL
  SELECT d.at_ms - d.at_ms % ${HOUR}, d.project_id, d.key_id, d.test, ${LABEL}, coalesce(d.country, ''), d.reason, sum(d.count), 0, 0, 0, 0
  FROM decisions d WHERE d.reason IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7`;

/** `balances` as the rows have it. */
const BALANCES = `
  SELECT 'user', d.project_id || ':' || coalesce(d.end_user, ''), d.test, s.at_ms - s.at_ms % ${DAY}, ${LABEL}, sum(${COST_IN_FORCE}), count(*), 0
  FROM ${SETTLED} GROUP BY 2, 3, 4, 5
  UNION ALL
  SELECT 'workspace', CAST(p.workspace_id AS TEXT), d.test, ${MONTH}, '', 0, count(*), sum(d.draws = 2)
  FROM ${SETTLED} JOIN projects p ON p.id = d.project_id WHERE s.counts_volume = 1 GROUP BY 2, 3, 4`;

const LOWEST_OPEN = `SELECT min(d.seq) AS seq FROM decisions d LEFT JOIN settlements s ON s.decision_seq = d.seq
  WHERE d.reason IS NULL AND s.seq IS NULL`;

/**
 * Recomputes everything that is derived from the rows of decisions and settlements, and returns where the tables differ.
 * Empty when all is well. Reads the whole file: for a ledger of millions of rows this takes a while.
 */
export function verifyLedger(path: string): LedgerFinding[] {
  const db = openForReading(path);
  try {
    // One view of the file for all checks, also while a server writes to it.
    return db.transaction(() => [
      ...integrity(db),
      ...differences(db, 'rollup', ROLLUPS, 'usage_rollups'),
      ...differences(db, 'balance', BALANCES, 'balances'),
      ...settledDenials(db),
      ...timeRunsBack(db),
      ...checkpointProblems(db),
    ])();
  } finally {
    closeFully(db);
  }
}

function integrity(db: Database): LedgerFinding[] {
  const pages = db.query<{ integrity_check: string }, []>(`PRAGMA integrity_check(${MAX_FINDINGS})`).all();
  const references = db.query<Record<string, unknown>, []>('PRAGMA foreign_key_check').all().slice(0, MAX_FINDINGS);
  return [
    ...pages.filter((row) => row.integrity_check !== 'ok').map((row) => ({ kind: 'integrity', detail: row.integrity_check })),
    ...references.map((row) => ({ kind: 'reference', detail: JSON.stringify(row) })),
  ];
}

function differences(db: Database, kind: string, computed: string, table: string): LedgerFinding[] {
  const missing = db.query<Record<string, unknown>, []>(`SELECT * FROM (${computed}) EXCEPT SELECT * FROM ${table} LIMIT ${MAX_FINDINGS}`);
  const extra = db.query<Record<string, unknown>, []>(`SELECT * FROM ${table} EXCEPT SELECT * FROM (${computed}) LIMIT ${MAX_FINDINGS}`);
  return [
    ...missing.all().map((row) => ({ kind, detail: `the rows say ${JSON.stringify(Object.values(row))}` })),
    ...extra.all().map((row) => ({ kind, detail: `${table} says ${JSON.stringify(Object.values(row))}` })),
  ];
}

function settledDenials(db: Database): LedgerFinding[] {
  const rows = db.query<{ seq: number }, []>(`SELECT s.seq FROM ${SETTLED} WHERE d.reason IS NOT NULL LIMIT ${MAX_FINDINGS}`).all();
  return rows.map(({ seq }) => ({ kind: 'reference', detail: `settlement ${seq} is of a denial` }));
}

function timeRunsBack(db: Database): LedgerFinding[] {
  return ['decisions', 'settlements'].flatMap((table) => {
    const rows = db.query<{ seq: number }, []>(
      `SELECT seq FROM (SELECT seq, at_ms, lag(at_ms) OVER (ORDER BY seq) AS before_ms FROM ${table}) WHERE at_ms < before_ms LIMIT ${MAX_FINDINGS}`,
    );
    return rows.all().map(({ seq }) => ({ kind: 'order', detail: `the time of ${table} ${seq} is before that of the row before it` }));
  });
}

function checkpointProblems(db: Database): LedgerFinding[] {
  const findings: LedgerFinding[] = [];
  const checkpoint = db.query<{ last_seq: number; lowest_open_seq: number }, []>('SELECT last_seq, lowest_open_seq FROM checkpoint').get();
  if (!checkpoint) return [{ kind: 'checkpoint', detail: 'there is no checkpoint' }];
  const open = db.query<{ seq: number | null }, []>(LOWEST_OPEN).get()?.seq ?? null;
  if (open !== null && open < checkpoint.lowest_open_seq) {
    findings.push({ kind: 'open', detail: `decision ${open} is open below the checkpoint's ${checkpoint.lowest_open_seq}` });
  }
  const last = db
    .query<{ seq: number | null }, []>(
      'SELECT max(seq) AS seq FROM (SELECT max(seq) AS seq FROM decisions UNION ALL SELECT max(seq) FROM settlements)',
    )
    .get();
  if ((last?.seq ?? 0) > checkpoint.last_seq)
    findings.push({ kind: 'checkpoint', detail: `there is a row past seq ${checkpoint.last_seq}` });
  return findings;
}
