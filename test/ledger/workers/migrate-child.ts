/** Migrates a database and prints how many migrations it applied. */
import { migrate } from '../../../src/ledger/sqlite/migrate.ts';
import { openForWriting } from '../../../src/ledger/sqlite/open.ts';

const db = openForWriting(process.argv[2]!);
process.stdout.write(String(migrate(db, 1)));
db.close();
