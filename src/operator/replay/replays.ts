import { Refusal } from '../../domain/errors.ts';
import type { ReplayReport } from './report.ts';
import type { ReplayTask } from './run.ts';
import type { ReplayReply, ReplayRequest } from './serve-replay.ts';

/** Who waits for a replay. */
export interface ReplayListener {
  /** Called with the share that is done, 0 to 1, about a hundred times. */
  readonly onProgress: (share: number) => void;
  /** Ends the replay early when nobody waits any more; it then rejects. */
  readonly signal: AbortSignal;
}

/** Where the replay Worker's entry file is: in the compiled binary under the folder of `main.ts`, from source beside this file. */
export function replayWorkerUrl(): string {
  return new URL(Bun.isStandaloneExecutable ? './operator/replay/worker.ts' : './worker.ts', import.meta.url).href;
}

/** Runs replays, each in a Worker of its own, one at a time: they must leave the machine to requests. */
export class Replays {
  #running: Run | null = null;

  constructor(
    /** The ledger's file. */
    readonly path: string,
    readonly url: string = replayWorkerUrl(),
  ) {}

  /** Rejects with a Refusal while another replay runs, and with an Error when the replay fails or is stopped. */
  async run(task: Omit<ReplayTask, 'path'>, listener: ReplayListener): Promise<ReplayReport> {
    if (this.#running)
      throw new Refusal('overloaded', 'Another replay is running: they run one at a time. Try again when it has ended.', {
        retryAfterSeconds: 10,
      });
    const run = start(this.url, { ...task, path: this.path }, listener);
    this.#running = run;
    try {
      return await run.report;
    } finally {
      await run.ended;
      this.#running = null;
    }
  }

  /** Stops what runs, and resolves when nothing of ours holds the ledger's file any more. */
  async close(): Promise<void> {
    this.#running?.stop();
    await this.#running?.ended;
  }
}

interface Run {
  readonly report: Promise<ReplayReport>;
  /** The Worker closes its connection before it ends. */
  readonly ended: Promise<void>;
  readonly stop: () => void;
}

function start(url: string, task: ReplayTask, listener: ReplayListener): Run {
  const worker = new Worker(url);
  const report = Promise.withResolvers<ReplayReport>();
  const ended = Promise.withResolvers<void>();
  const stop = (): void => post(worker, { kind: 'stop' });
  worker.addEventListener('message', (event: MessageEvent<ReplayReply>) => {
    const reply = event.data;
    if (reply.kind === 'progress') listener.onProgress(reply.share);
    else if (reply.kind === 'report') report.resolve(reply.report);
    else report.reject(new Error(reply.message));
  });
  worker.addEventListener('error', (event) => report.reject(new Error(event.message)));
  worker.addEventListener('close', () => {
    listener.signal.removeEventListener('abort', stop);
    report.reject(new Error('the replay ended without a report'));
    ended.resolve();
  });
  post(worker, { kind: 'replay', task });
  listener.signal.addEventListener('abort', stop, { once: true });
  if (listener.signal.aborted) stop();
  return { ended: ended.promise, report: report.promise, stop };
}

function post(worker: Worker, request: ReplayRequest): void {
  worker.postMessage(request, []);
}
