import { UpstreamBroken, type UpstreamAnswer, type UpstreamRequest } from '../upstream.ts';

/** Waits, or rejects as soon as the signal is aborted. */
export type Delay = (ms: number, signal: AbortSignal) => Promise<void>;

/** What happens next in a simulated answer: bytes, a silence in milliseconds, or a cut connection. */
export type Step = string | { readonly pauseMs: number } | typeof CUT;

/** The step that breaks the answer off. */
export const CUT: unique symbol = Symbol('cut');

/** An event of a stream: the name is left out where the protocol has none. */
export function event(data: unknown, name?: string): string {
  return `${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/** Everything after half of the steps is lost. */
export function* cutInHalf(steps: readonly Step[]): Generator<Step> {
  yield* steps.slice(0, Math.ceil(steps.length / 2));
  yield CUT;
}

/** An answer that plays steps. It ends exactly as one over HTTP would: null after the last step, else `UpstreamBroken`. */
export class SteppedAnswer implements UpstreamAnswer {
  readonly kind = 'answer';
  readonly #stopper = new AbortController();
  readonly #onSignal = () => this.abort();
  #broken: UpstreamBroken | null = null;
  #ended = false;

  constructor(
    readonly status: number,
    readonly headers: Headers,
    readonly steps: Iterator<Step>,
    readonly request: UpstreamRequest,
    readonly delay: Delay,
  ) {
    request.signal?.addEventListener('abort', this.#onSignal, { once: true });
    if (request.signal?.aborted) this.abort();
  }

  async read(): Promise<Uint8Array<ArrayBuffer> | null> {
    for (;;) {
      if (this.#broken) throw this.#broken;
      if (this.#ended) return null;
      const next = this.steps.next();
      if (next.done) this.#end();
      else if (next.value === CUT) throw this.#break(new UpstreamBroken('interrupted', 'ECONNRESET'));
      else if (typeof next.value === 'string') return encoder.encode(next.value);
      else await this.#pause(next.value.pauseMs);
    }
  }

  abort(): void {
    if (this.#ended || this.#broken) return;
    this.#break(new UpstreamBroken('aborted', 'abort'));
    this.#stopper.abort();
  }

  async #pause(ms: number): Promise<void> {
    const { idleMs } = this.request;
    try {
      await this.delay(Math.min(ms, idleMs), this.#stopper.signal);
    } catch (error) {
      throw this.#broken ?? error;
    }
    if (ms > idleMs) throw this.#break(new UpstreamBroken('timeout', 'watchdog'));
  }

  #break(broken: UpstreamBroken): UpstreamBroken {
    this.#broken = broken;
    this.#release();
    return broken;
  }

  #end(): void {
    this.#ended = true;
    this.#release();
  }

  #release(): void {
    this.request.signal?.removeEventListener('abort', this.#onSignal);
  }
}

const encoder = new TextEncoder();
