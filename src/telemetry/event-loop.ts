import type { Clock } from '../clock.ts';
import { Histogram, SHORT_SECONDS } from './histogram.ts';

/** How often the event loop is asked to be on time. */
const PERIOD_MS = 100;

/** Measures how late a timer comes: for so long every request had to wait. */
export class EventLoopLag {
  readonly histogram = new Histogram(SHORT_SECONDS);
  #timer: Timer | null = null;

  constructor(readonly clock: Pick<Clock, 'monotonicMs'>) {}

  start(): void {
    const dueMs = this.clock.monotonicMs() + PERIOD_MS;
    this.#timer = setTimeout(() => {
      this.histogram.observe((this.clock.monotonicMs() - dueMs) / 1000);
      this.start();
    }, PERIOD_MS);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
