/**
 * A writer that fails when a test asks for it: the tests leave a word in the file `fault` beside the database.
 * `stall N` holds the next transaction back for N ms, `uncertain` makes a committed one look like an I/O error,
 * `lost N` makes one fail for want of pages that are more than N, and look like an I/O error, `die` kills the Worker before a transaction, `late` after its commit, `small N` limits the file to N pages more than it has.
 */
import type { Database } from 'bun:sqlite';
import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { serveWriter } from '../../../src/ledger/sqlite/serve-writer.ts';
import { workerPort } from '../../../src/ledger/sqlite/worker-port.ts';

let faultFile = '';
let turnsUncertain = false;
let diesLate = false;

function takeFault(): string[] {
  try {
    const words = readFileSync(faultFile, 'utf8').split(' ');
    rmSync(faultFile);
    return words;
  } catch {
    return [];
  }
}

function limitPages(db: Database, more: number): void {
  const pages = db.query<{ page_count: number }, []>('PRAGMA page_count').get()!.page_count;
  db.run(`PRAGMA max_page_count=${pages + more}`);
}

serveWriter(workerPort(), {
  opened: (db) => {
    faultFile = join(dirname(db.filename), 'fault');
  },
  before: async (db) => {
    const [word, argument] = takeFault();
    if (word === 'stall') await Bun.sleep(Number(argument));
    if (word === 'small' || word === 'lost') limitPages(db, Number(argument));
    if (word === 'uncertain' || word === 'lost') turnsUncertain = true;
    diesLate = word === 'late';
    if (word === 'die') {
      setTimeout(() => {
        throw new Error('the writer dies for a test');
      });
      await Bun.sleep(60_000);
    }
  },
  ended: (ending) => {
    if (diesLate) process.exit();
    if (!turnsUncertain) return ending;
    turnsUncertain = false;
    return { kind: 'uncertain', error: new Error('disk I/O error'), value: ending.kind === 'committed' ? ending.value : null };
  },
});
