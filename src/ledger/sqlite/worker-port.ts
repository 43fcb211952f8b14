/** What a Worker's global scope offers, as far as ours use it. */
export interface WorkerPort {
  addEventListener(type: 'message', listener: (event: MessageEvent<unknown>) => void): void;
  removeEventListener(type: 'message', listener: (event: MessageEvent<unknown>) => void): void;
  postMessage(message: unknown): void;
}

/** Answers what arrives on a Worker's port, until `close` is called: the Worker then has nothing left to wait for and ends. */
export function serve(port: WorkerPort, answer: (data: unknown, close: () => void) => void): void {
  const listener = (event: MessageEvent<unknown>) => answer(event.data, () => port.removeEventListener('message', listener));
  port.addEventListener('message', listener);
}

/** This Worker's port. */
export function workerPort(): WorkerPort {
  return globalThis;
}
