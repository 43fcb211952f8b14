import type { Write, WriteReply } from './sqlite/writer-link.ts';

/** One commit: how many rows it held (a command is one), how long the writer took, and whether it is on disk. */
export type OnCommit = (rows: number, durationMs: number, committed: boolean) => void;

/** Times what is sent to the writer, of which at most one is on its way. Probes hold nothing and are left out. */
export class CommitMeter {
  #sentMs = 0;
  #rows = 0;

  constructor(readonly onCommit: OnCommit | undefined) {}

  sent(write: Write, nowMs: number): void {
    this.#sentMs = nowMs;
    this.#rows = write.kind === 'batch' ? write.rows.length : write.kind === 'command' ? 1 : 0;
  }

  replied({ kind }: WriteReply, nowMs: number): void {
    if (this.#rows > 0) this.onCommit?.(this.#rows, nowMs - this.#sentMs, kind === 'committed');
    this.#rows = 0;
  }
}
