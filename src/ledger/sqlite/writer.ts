/** The writer Worker: owns the one writable connection. An entry point of the build, like `reader.ts`. */
import { serveWriter } from './serve-writer.ts';
import { workerPort } from './worker-port.ts';

serveWriter(workerPort());
