import type { Database } from 'bun:sqlite';
import { drizzle, type BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite';
import { stepBack } from './background.ts';
import { closeFully, openForReading } from './open.ts';
import { queries, type QueryName } from './queries.ts';
import { serve, type WorkerPort } from './worker-port.ts';

/** What the main thread asks of a reader. */
export type ReaderRequest =
  | { readonly kind: 'open'; readonly path: string; readonly isBackground: boolean }
  | { readonly kind: 'query'; readonly id: number; readonly name: QueryName; readonly args: unknown }
  | { readonly kind: 'close' };

/** What a reader answers. */
export type ReaderReply =
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly message: string };

/** Answers queries on a Worker's port, one after the other, until it is told to close; the Worker then ends. */
export function serveReader(port: WorkerPort): void {
  let path = '';
  let file: Database | null = null;
  // Opened with the first query, so that a file that cannot be opened fails that query and not the Worker.
  const opened = () => (file ??= openForReading(path));
  serve(port, (data, close) => {
    const request = data as ReaderRequest;
    if (request.kind === 'open') {
      path = request.path;
      if (request.isBackground) stepBack();
    } else if (request.kind === 'query') port.postMessage(answer(opened, request));
    else {
      if (file) closeFully(file);
      close();
    }
  });
}

function answer(opened: () => Database, { id, name, args }: Extract<ReaderRequest, { kind: 'query' }>): ReaderReply {
  try {
    const query = queries[name] as (db: BunSQLiteDatabase, args: unknown) => unknown;
    return { kind: 'result', id, value: query(drizzle(opened()), args) };
  } catch (error) {
    return { kind: 'failure', id, message: error instanceof Error ? error.message : String(error) };
  }
}
