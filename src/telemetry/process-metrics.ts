import { readdirSync } from 'node:fs';
import type { Clock } from '../clock.ts';
import { VERSION } from '../version.ts';
import { EventLoopLag } from './event-loop.ts';
import type { Exposition } from './exposition.ts';

/** The process as a whole. What costs something is read when it is asked for. */
export class ProcessMetrics {
  readonly #lag: EventLoopLag;
  readonly #startedAtMs: number;
  readonly #startedMonotonicMs: number;

  constructor(readonly clock: Clock) {
    this.#lag = new EventLoopLag(clock);
    this.#startedAtMs = clock.nowMs();
    this.#startedMonotonicMs = clock.monotonicMs();
    this.#lag.start();
  }

  stop(): void {
    this.#lag.stop();
  }

  writeTo(out: Exposition): void {
    out.gauge('panicly_build_info', 'Always 1; the version is in the labels.', [[{ version: VERSION, bun: Bun.version }, 1]]);
    out.gauge('process_start_time_seconds', 'When counting began, in seconds since 1970.', this.#startedAtMs / 1000);
    out.gauge('panicly_uptime_seconds', 'How long it has been counting.', (this.clock.monotonicMs() - this.#startedMonotonicMs) / 1000);
    const { user, system } = process.cpuUsage();
    out.counter('process_cpu_seconds_total', 'Processor time of all threads.', (user + system) / 1_000_000);
    out.gauge('process_resident_memory_bytes', 'Resident memory.', process.memoryUsage.rss());
    const openFds = countOpenFiles();
    if (openFds !== null) out.gauge('process_open_fds', 'Open file descriptors.', openFds);
    out.histogram('panicly_event_loop_lag_seconds', 'How late a timer came that was due each 100 ms.', [[{}, this.#lag.histogram]]);
  }
}

/** Null where the system does not tell. */
function countOpenFiles(): number | null {
  try {
    // Looking takes one itself.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return null;
  }
}
