/** What a Worker's global scope offers, as far as ours use it. */
export interface WorkerPort {
  onmessage: ((event: MessageEvent<unknown>) => void) | null;
  postMessage(message: unknown): void;
}

/** This Worker's port. */
export function workerPort(): WorkerPort {
  return globalThis as unknown as WorkerPort;
}
