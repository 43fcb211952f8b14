import { stepBack } from '../../ledger/sqlite/background.ts';
import { serve, type WorkerPort } from '../../ledger/sqlite/worker-port.ts';
import type { ReplayReport } from './report.ts';
import { runReplay, type ReplayTask } from './run.ts';

/** What the main thread asks of a replay Worker. */
export type ReplayRequest = { readonly kind: 'replay'; readonly task: ReplayTask } | { readonly kind: 'stop' };

/** What a replay Worker answers: progress as often as a percent is done, then one of the others. */
export type ReplayReply =
  | { readonly kind: 'progress'; readonly share: number }
  | { readonly kind: 'report'; readonly report: ReplayReport }
  | { readonly kind: 'failure'; readonly message: string };

/** A page takes about ten times as long. */
const REST_MS = 1;
const STOPPED = 'the replay was stopped';

/** Runs what it is asked on a Worker's port. The Worker ends after its answer. */
export function serveReplay(port: WorkerPort): void {
  stepBack();
  let isStopped = false;
  serve(port, (data, close) => {
    const request = data as ReplayRequest;
    if (request.kind === 'stop') {
      isStopped = true;
      return;
    }
    void answer(request.task, port, () => isStopped).then((reply) => {
      port.postMessage(reply);
      close();
    });
  });
}

async function answer(task: ReplayTask, port: WorkerPort, isStopped: () => boolean): Promise<ReplayReply> {
  let percent = 0;
  const onProgress = (share: number): void => {
    if (Math.floor(share * 100) === percent) return;
    percent = Math.floor(share * 100);
    port.postMessage({ kind: 'progress', share } satisfies ReplayReply);
  };
  try {
    return { kind: 'report', report: await runReplay(task, { onProgress, pause: () => pause(isStopped) }) };
  } catch (error) {
    return { kind: 'failure', message: error instanceof Error ? error.message : String(error) };
  }
}

/** Lets messages in between pages, and the processor go to whoever waits for it: not every system knows priorities of threads. */
function pause(isStopped: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => setTimeout(() => (isStopped() ? reject(new Error(STOPPED)) : resolve()), REST_MS));
}
