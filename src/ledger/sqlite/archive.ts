/** What stays of pruned rows: the sums that they had added, by the step that pruned them, with a digest that the chain holds. */
import type { Database } from 'bun:sqlite';
import { hasTable, readAll, runOnce } from './chain/statements.ts';
import { ARCHIVES, type Archive } from './sums.ts';

/** Stores what decisions have added to the sums, as part of the pruning at `seq`. `decisionSeqs` is a JSON array for the `?1` of `where`. */
export function archiveSums(db: Database, seq: number, where: string, decisionSeqs: string): void {
  for (const { archive, of } of ARCHIVES) runOnce(db, `INSERT INTO ${archive} SELECT ${seq}, * FROM (${of(where)})`, decisionSeqs);
}

/** SHA-256 over the lines that a pruning left, hexadecimal. */
export function archiveDigest(db: Database, seq: number): string {
  const hash = new Bun.CryptoHasher('sha256');
  for (const of of archivesIn(db)) for (const line of linesOf(db, of, seq)) hash.update(JSON.stringify(line));
  return hash.digest('hex');
}

function archivesIn(db: Database): Archive[] {
  return ARCHIVES.filter(({ archive }) => hasTable(db, archive));
}

function linesOf(db: Database, { archive, keys, sums }: Archive, seq: number): unknown[] {
  const columns = [...keys, ...sums].join(', ');
  const statement = db.prepare(`SELECT '${archive}', ${columns} FROM ${archive} WHERE pruning_seq = ? ORDER BY ${keys.join(', ')}`);
  const lines = statement.values(seq);
  statement.finalize();
  return lines;
}

/** One sentence for each pruning whose archived sums are not those that it left, and for sums that belong to none. */
export function archiveProblems(db: Database): string[] {
  const prunings = readAll<{ seq: number; sha256: string }>(db, 'SELECT seq, archived_sha256 AS sha256 FROM prunings ORDER BY seq');
  const changed = prunings.filter(({ seq, sha256 }) => archiveDigest(db, seq) !== sha256);
  return [...changed.map(({ seq }) => `the archived sums of pruning ${seq} were changed`), ...strays(db)];
}

function strays(db: Database): string[] {
  return archivesIn(db).flatMap(({ archive }) => {
    const sql = `SELECT DISTINCT pruning_seq AS seq FROM ${archive} WHERE pruning_seq NOT IN (SELECT seq FROM prunings)`;
    return readAll<{ seq: number }>(db, sql).map(({ seq }) => `${archive} has sums of a pruning ${seq} that never was`);
  });
}
