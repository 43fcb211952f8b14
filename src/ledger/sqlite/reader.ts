/** The reader Worker: lists and reports on a connection that cannot write. An entry point of the build, like `writer.ts`. */
import { serveReader } from './serve-reader.ts';
import { workerPort } from './worker-port.ts';

serveReader(workerPort());
