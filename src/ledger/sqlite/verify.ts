import type { Database } from 'bun:sqlite';
import { archiveProblems } from './archive.ts';
import { checkChain, type ChainCheck } from './chain/check.ts';
import type { BadRow } from './chain/check-rows.ts';
import { printHead } from './chain/head.ts';
import { ChainKeyError, readChainKey } from './chain/key.ts';
import { endOfChain } from './chain/links.ts';
import { hasTable } from './chain/statements.ts';
import type { EarlierHead, LedgerReport } from '../keep-store.ts';
import { countRows, type LedgerCounts } from './counts.ts';
import { closeFully, openForReading } from './open.ts';
import { SETTLED, SUM_TABLES, wantedSums, type SumTable } from './sums.ts';

/** Something in a ledger that is not as its rows or its chain say. */
export interface LedgerFinding {
  /** `integrity`, `chain`, `row`, `archive`, `reference`, `order`, `rollup`, `balance`, `open` or `checkpoint`. */
  readonly kind: string;
  /** What was found, ready to print. */
  readonly detail: string;
}

/** How to verify. */
export interface VerifyOptions {
  /** What may open the chain's key: see `chain/key.ts`. Without one the links are not proven. */
  readonly sealKeys?: readonly Uint8Array[];
  /** What the ledger must still have: the end of its chain at an earlier time. */
  readonly head?: EarlierHead | null;
  /** Called with how many of all rows are compared with the chain. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What verifying found. */
export interface Verification {
  readonly findings: LedgerFinding[];
  /** The row with the lowest seq that was changed, removed, inserted or moved; null when there is none. */
  readonly firstBadRow: BadRow | null;
  /** What could not be told, for people. */
  readonly notes: readonly string[];
  readonly links: number;
  /** The end of the chain as a line to keep elsewhere; null when there is no chain. */
  readonly head: string | null;
}

const MAX_FINDINGS = 100;
const NO_PROGRESS = () => undefined;
const NO_CHAIN: ChainCheck = { rows: [], problems: [], notes: [], links: 0 };

const LOWEST_OPEN = `SELECT min(d.seq) AS seq FROM decisions d LEFT JOIN settlements s ON s.decision_seq = d.seq
  WHERE d.reason IS NULL AND s.seq IS NULL`;

/** What `verifyFile` finds wrong. Empty when all is well. */
export function verifyLedger(path: string, options: VerifyOptions = {}): LedgerFinding[] {
  return verifyFile(path, options).findings;
}

/**
 * Checks that the file is whole, that every row is as the chain has it, and that everything derived from rows follows from them.
 * Reads the whole file: for a ledger of millions of rows this takes a while.
 */
export function verifyFile(path: string, options: VerifyOptions = {}): Verification {
  try {
    const db = openForReading(path);
    try {
      // One view of the file for all checks, also while a server writes to it.
      return db.transaction(() => verifyView(db, options))();
    } finally {
      closeFully(db);
    }
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { findings: [damageOf(error)], firstBadRow: null, notes: [], links: 0, head: null };
  }
}

/** What `verifyFile` finds, with the rows that there are, as operators see it. */
export function reportOn(path: string, options: VerifyOptions = {}): LedgerReport {
  const { findings, firstBadRow, notes, head } = verifyFile(path, options);
  const problems = findings.map(({ kind, detail }) => `${kind}: ${detail}`);
  return { ...countsOf(path), problems, firstBadRow, notes, head };
}

function countsOf(path: string): LedgerCounts {
  try {
    return countRows(path);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { decisions: 0, settlements: 0 };
  }
}

function verifyView(db: Database, options: VerifyOptions): Verification {
  const damage = found(() => integrity(db));
  let chain = NO_CHAIN;
  let head: string | null = null;
  const hasChain = hasTable(db, 'chain_anchors');
  const chainFindings = found(() => {
    if (!hasChain) return options.head ? [finding('chain')('there is no chain, but there was one before: it was removed')] : [];
    const key = keyOf(db, options.sealKeys ?? []);
    chain = checkChain(db, { key: key.key, head: options.head ?? null, onProgress: options.onProgress ?? NO_PROGRESS });
    const end = endOfChain(db);
    head = end && printHead(end);
    const problems = [...key.problems, ...chain.problems].slice(0, MAX_FINDINGS);
    return [...chain.rows.slice(0, MAX_FINDINGS).map(findingOf), ...problems.map(finding('chain'))];
  });
  const findings = [
    ...damage,
    ...chainFindings,
    ...found(() => (hasChain ? archiveProblems(db).map(finding('archive')) : [])),
    ...SUM_TABLES.flatMap((sums) => found(() => differences(db, sums, hasChain))),
    ...found(() => settledDenials(db)),
    ...found(() => timeRunsBack(db)),
    ...found(() => checkpointProblems(db)),
  ];
  return {
    findings,
    firstBadRow: chain.rows[0] ?? null,
    notes: hasChain ? chain.notes : ['this ledger is from before there was a chain: the next start of the server begins it'],
    links: chain.links,
    head,
  };
}

/** A damaged page stops what reads it, and nothing else; so does a text that is no JSON where there was some. */
function found(check: () => LedgerFinding[]): LedgerFinding[] {
  try {
    return check();
  } catch (error) {
    if (!isDamage(error)) throw error;
    return [damageOf(error)];
  }
}

function isDamage(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB' || code === 'SQLITE_ERROR';
}

function damageOf(error: unknown): LedgerFinding {
  return { kind: 'integrity', detail: error instanceof Error ? error.message : String(error) };
}

function finding(kind: string): (detail: string) => LedgerFinding {
  return (detail) => ({ kind, detail });
}

function findingOf({ table, seq, change }: BadRow): LedgerFinding {
  return { kind: 'row', detail: `${table} ${seq} was ${change}` };
}

function keyOf(db: Database, sealKeys: readonly Uint8Array[]): { readonly key: Uint8Array | null; readonly problems: readonly string[] } {
  if (sealKeys.length === 0) return { key: null, problems: [] };
  try {
    const key = readChainKey(db, sealKeys);
    return { key, problems: key === null ? ['the key of the chain was removed'] : [] };
  } catch (error) {
    if (!(error instanceof ChainKeyError)) throw error;
    return { key: null, problems: [error.message] };
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

function differences(db: Database, sums: SumTable, hasArchive: boolean): LedgerFinding[] {
  const { table } = sums;
  const kind = table === 'balances' ? 'balance' : 'rollup';
  const wanted = hasArchive ? wantedSums(sums) : sums.of();
  const missing = db.query<Record<string, unknown>, []>(`SELECT * FROM (${wanted}) EXCEPT SELECT * FROM ${table} LIMIT ${MAX_FINDINGS}`);
  const extra = db.query<Record<string, unknown>, []>(`SELECT * FROM ${table} EXCEPT SELECT * FROM (${wanted}) LIMIT ${MAX_FINDINGS}`);
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
