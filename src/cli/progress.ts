import type { Io } from './output.ts';

const BAR_CELLS = 24;
/** A terminal is written to at most so often: work that takes steps of microseconds must not wait for it. */
const DRAW_EVERY_MS = 100;

/** Where a piece of long work stands, drawn on the standard error. */
export interface Progress {
  /** `done` of `total`, in any unit; null where nobody knows how much there is. */
  readonly at: (done: number, total: number | null) => void;
  /** Takes the line away. Safe to call twice. */
  readonly end: () => void;
}

const SILENT: Progress = { at: () => undefined, end: () => undefined };

/**
 * A progress bar for work that lasts: replay, backup, verify, import. Silent where the standard error is no terminal,
 * so that logs and programs never see it.
 */
export function progress(io: Io, label: string): Progress {
  if (io.isErrTerminal !== true) return SILENT;
  const { nowMs = () => 0 } = io;
  let drawnAtMs = -Infinity;
  let width = 0;
  const draw = (line: string) => {
    io.err(`\r${line}${' '.repeat(Math.max(0, width - line.length))}`);
    width = line.length;
  };
  return {
    at(done, total) {
      const isLast = total !== null && done >= total;
      if (!isLast && nowMs() - drawnAtMs < DRAW_EVERY_MS) return;
      drawnAtMs = nowMs();
      draw(total === null ? `${label}  ${done}` : barOf(label, done, total));
    },
    end() {
      if (width === 0) return;
      draw('');
      io.err('\r');
      width = 0;
    },
  };
}

/** Runs work with a bar that goes away however the work ends. */
export async function withProgress<Result>(io: Io, label: string, work: (at: Progress['at']) => Promise<Result>): Promise<Result> {
  const bar = progress(io, label);
  try {
    return await work(bar.at);
  } finally {
    bar.end();
  }
}

function barOf(label: string, done: number, total: number): string {
  const share = total <= 0 ? 1 : Math.min(1, Math.max(0, done / total));
  const full = Math.round(share * BAR_CELLS);
  return `${label}  [${'#'.repeat(full)}${'.'.repeat(BAR_CELLS - full)}] ${Math.floor(share * 100)} %`;
}
