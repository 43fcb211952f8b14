/** The replay Worker: one replay, then it ends. An entry point of the build, like the ledger's own Workers. */
import { serveReplay } from './serve-replay.ts';
import { workerPort } from '../../ledger/sqlite/worker-port.ts';

serveReplay(workerPort());
