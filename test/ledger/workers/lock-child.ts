/** Takes the lock of a data directory, or says why it cannot. */
import { DataDirectoryInUse, lockDataDirectory } from '../../../src/ledger/sqlite/lock.ts';

try {
  lockDataDirectory(process.argv[2]!).release();
  process.stdout.write('free');
} catch (error) {
  process.stdout.write(error instanceof DataDirectoryInUse ? error.message : String(error));
}
