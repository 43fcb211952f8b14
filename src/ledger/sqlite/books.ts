import type { Database, Statement } from 'bun:sqlite';
import { DRAWS, OUTCOMES, valueOf } from './codes.ts';
import { labelOf, type ModelColumns } from './label.ts';
import { dayStart, hourStart, monthStart } from './periods.ts';
import { DECISION_AT, SETTLEMENT_AT, type Cell, type Row } from './rows.ts';

/** What a settlement has to know of its decision to be counted. */
interface Counted extends ModelColumns {
  readonly projectId: number;
  readonly keyId: number;
  readonly test: number;
  readonly country: string | null;
  readonly endUser: string | null;
  readonly draws: number;
}

type Key = (number | string)[];
type Sums = number[];

interface Entry {
  readonly key: Key;
  readonly sums: Sums;
}

/** Tables that can be rebuilt from decisions and settlements, as SQL that adds to them. */
const ADD_ROLLUP = `INSERT INTO usage_rollups VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, input_tokens = input_tokens + excluded.input_tokens,
  cached_input_tokens = cached_input_tokens + excluded.cached_input_tokens, output_tokens = output_tokens + excluded.output_tokens,
  cost_nano_usd = cost_nano_usd + excluded.cost_nano_usd`;
const ADD_BALANCE = `INSERT INTO balances VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET settled_nano_usd = settled_nano_usd + excluded.settled_nano_usd,
  requests = requests + excluded.requests, credits = credits + excluded.credits`;
const COUNTED = `SELECT d.seq, d.project_id AS projectId, d.key_id AS keyId, d.test, d.model, d.models, d.country, d.end_user AS endUser, d.draws
  FROM decisions d`;
const OPEN = `${COUNTED} LEFT JOIN settlements s ON s.decision_seq = d.seq
  WHERE d.seq >= (SELECT lowest_open_seq FROM checkpoint) AND d.reason IS NULL AND s.seq IS NULL ORDER BY d.seq`;

/**
 * The derived tables: collects what the rows of a batch add, and writes each changed line once.
 * Also knows which allowed decisions have no settlement yet. After a transaction that did not commit, make new books.
 */
export class Books {
  readonly #open = new Map<number, Counted>();
  readonly #workspaces = new Map<number, number>();
  readonly #rollups = new Map<string, Entry>();
  readonly #balances = new Map<string, Entry>();
  readonly #addRollup: Statement;
  readonly #addBalance: Statement;
  readonly #workspaceOf: Statement<{ workspace_id: number }>;
  readonly #decisionOf: Statement<Counted>;

  constructor(db: Database) {
    this.#addRollup = db.prepare(ADD_ROLLUP);
    this.#addBalance = db.prepare(ADD_BALANCE);
    this.#workspaceOf = db.prepare('SELECT workspace_id FROM projects WHERE id = ?');
    this.#decisionOf = db.prepare(`${COUNTED} WHERE d.seq = ?`);
    const open = db.prepare<Counted & { seq: number }, []>(OPEN);
    for (const { seq, ...counted } of open.iterate()) this.#open.set(seq, counted);
    open.finalize();
  }

  /** Allowed decisions without a settlement. */
  get openCount(): number {
    return this.#open.size;
  }

  /** No decision under this seq is open; `lastSeq + 1` when none is. */
  lowestOpenSeq(lastSeq: number): number {
    const first = this.#open.keys().next();
    return first.done ? lastSeq + 1 : first.value;
  }

  /** Counts a decision row: an allow opens, a denial is counted at once. */
  decision(row: Row): void {
    const counted: Counted = {
      projectId: row[DECISION_AT.projectId] as number,
      keyId: row[DECISION_AT.keyId] as number,
      test: row[DECISION_AT.test] as number,
      model: row[DECISION_AT.model] as string,
      models: row[DECISION_AT.models] as string | null,
      country: row[DECISION_AT.country] as string | null,
      endUser: row[DECISION_AT.endUser] as string | null,
      draws: row[DECISION_AT.draws] as number,
    };
    const reason = row[DECISION_AT.reason] as string | null;
    if (reason === null) this.#open.set(row[DECISION_AT.seq] as number, counted);
    else this.#rollup(row[DECISION_AT.atMs] as number, counted, reason, [row[DECISION_AT.count] as number, 0, 0, 0, 0]);
  }

  /** Counts a settlement row at the time that it has. */
  settlement(row: Row): void {
    const decisionSeq = row[SETTLEMENT_AT.decisionSeq] as number;
    const counted = this.#open.get(decisionSeq) ?? this.#decisionOf.get(decisionSeq);
    this.#open.delete(decisionSeq);
    if (!counted) return;
    const atMs = row[SETTLEMENT_AT.atMs] as number;
    const cost = row[SETTLEMENT_AT.cost] as number;
    const tokens = (cell: Cell | undefined) => (cell as number | null) ?? 0;
    this.#rollup(atMs, counted, valueOf(OUTCOMES, row[SETTLEMENT_AT.outcome] as number), [
      1,
      tokens(row[SETTLEMENT_AT.inputTokens]),
      tokens(row[SETTLEMENT_AT.cachedInputTokens]),
      tokens(row[SETTLEMENT_AT.outputTokens]),
      cost,
    ]);
    const { test, projectId, endUser } = counted;
    add(this.#balances, ['user', `${projectId}:${endUser ?? ''}`, test, dayStart(atMs), labelOf(counted)], [cost, 1, 0]);
    this.#volume(atMs, counted, row[SETTLEMENT_AT.countsVolume] === 1);
  }

  /** Writes what was collected. Part of the transaction of the rows. */
  write(): void {
    for (const { key, sums } of this.#rollups.values()) this.#addRollup.run(...key, ...sums);
    for (const { key, sums } of this.#balances.values()) this.#addBalance.run(...key, ...sums);
    this.#rollups.clear();
    this.#balances.clear();
  }

  /** Lets go of the statements, so that the database can be closed. */
  finalize(): void {
    for (const statement of [this.#addRollup, this.#addBalance, this.#workspaceOf, this.#decisionOf]) statement.finalize();
  }

  #rollup(atMs: number, of: Counted, reason: string, sums: Sums): void {
    add(this.#rollups, [hourStart(atMs), of.projectId, of.keyId, of.test, labelOf(of), of.country ?? '', reason], sums);
  }

  #volume(atMs: number, of: Counted, counts: boolean): void {
    if (!counts) return;
    const draws = valueOf(DRAWS, of.draws);
    const key = ['workspace', String(this.#workspaceId(of.projectId)), of.test, monthStart(atMs), ''];
    add(this.#balances, key, [0, 1, draws === 'credit' ? 1 : 0]);
  }

  #workspaceId(projectId: number): number {
    const known = this.#workspaces.get(projectId);
    if (known !== undefined) return known;
    const id = this.#workspaceOf.get(projectId)?.workspace_id ?? 0;
    this.#workspaces.set(projectId, id);
    return id;
  }
}

function add(entries: Map<string, Entry>, key: Key, sums: Sums): void {
  // End user and model are free texts, which may hold any separator.
  const name = JSON.stringify(key);
  const entry = entries.get(name);
  if (!entry) entries.set(name, { key, sums });
  else for (let index = 0; index < sums.length; index++) entry.sums[index]! += sums[index]!;
}
