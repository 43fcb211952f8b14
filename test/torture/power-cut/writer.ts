/** The product's writer with a short log, so that a small trace sees checkpoints; `POWER_CUT_SYNC=NORMAL` weakens it for the bite check. */
import { serveWriter } from '../../../src/ledger/sqlite/serve-writer.ts';
import { workerPort } from '../../../src/ledger/sqlite/worker-port.ts';

const LOG_PAGES = 60;

serveWriter(workerPort(), {
  opened: (db) => {
    db.run(`PRAGMA wal_autocheckpoint=${LOG_PAGES}`);
    if (Bun.env['POWER_CUT_SYNC'] === 'NORMAL') db.run('PRAGMA synchronous=NORMAL');
  },
});
