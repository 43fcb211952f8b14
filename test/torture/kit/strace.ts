import { readdirSync, readFileSync } from 'node:fs';

/** A fault to be injected: which calls, which error, from the how-manieth on, once or as long as it is attached. */
export interface Fault {
  readonly calls: string;
  readonly error: 'EIO' | 'ENOSPC' | 'EROFS';
  readonly nth: number;
  readonly isLasting: boolean;
  /** Only calls on this file; on any when absent. */
  readonly path?: string;
}

const WORKER = 'Worker';
const attached = new Set<Bun.Subprocess>();
process.on('exit', () => {
  for (const tracer of attached) tracer.kill('SIGKILL');
});

/** The threads of a process that are Workers of the ledger: the writer is one of them, the others neither write nor sync. */
export function workersOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`)
    .filter((task) => readFileSync(`/proc/${pid}/task/${task}/comm`, 'utf8').trim() === WORKER)
    .map(Number);
}

/** An strace that puts faults into the calls of threads until it is taken off. */
export class Injection {
  readonly #tracer: Bun.Subprocess<'ignore', 'ignore', 'pipe'>;
  #said = '';
  #read: Promise<void> = Promise.resolve();

  private constructor(tracer: Bun.Subprocess<'ignore', 'ignore', 'pipe'>) {
    this.#tracer = tracer;
    attached.add(tracer);
  }

  /** Resolves once every thread is traced. Throws when strace may not. */
  static async into(threads: readonly number[], { calls, error, nth, isLasting, path }: Fault): Promise<Injection> {
    const when = `${nth}${isLasting ? '+' : ''}`;
    const words = ['strace', '-e', `trace=${calls}`, '-e', `inject=${calls}:error=${error}:when=${when}`];
    if (path !== undefined) words.push('-P', path);
    for (const thread of threads) words.push('-p', String(thread));
    const injection = new Injection(Bun.spawn(words, { stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' }));
    const isOn = Promise.withResolvers<void>();
    injection.#read = (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of injection.#tracer.stderr) {
        injection.#said += decoder.decode(chunk, { stream: true });
        if (injection.#said.split(' attached').length > threads.length) isOn.resolve();
      }
      isOn.reject(new Error(`strace ended: ${injection.#said.slice(0, 300)}`));
    })();
    isOn.promise.catch(() => undefined);
    await isOn.promise;
    return injection;
  }

  /** How many calls have been failed so far. */
  get injected(): number {
    return this.#said.split('(INJECTED)').length - 1;
  }

  /** Takes it off: from now on every call is as it was. */
  async end(): Promise<void> {
    this.#tracer.kill('SIGINT');
    await this.#tracer.exited;
    await this.#read;
    attached.delete(this.#tracer);
  }
}
