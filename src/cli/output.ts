import { systemClock } from '../clock.ts';
import { lookNow, terminalLook, type Look } from './look.ts';

/** Where the command line writes, and what it reads. */
export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** All of the standard input. */
  readonly stdin: () => Promise<string>;
  /** The same piece by piece, for what may be large; that of the process when absent. */
  readonly stdinBytes?: () => ReadableStream<Uint8Array>;
  /** Whether a person sits there who can answer a question. */
  readonly isInteractive: boolean;
  /** Asks that person, and resolves to the answer. */
  readonly ask: (question: string) => Promise<string>;
  /** How a person on a terminal wants to read it; exact and without colour when absent. */
  readonly look?: Look;
  /** Whether the standard error is a terminal: progress is drawn there. */
  readonly isErrTerminal?: boolean;
  /** Milliseconds since 1970. */
  readonly nowMs?: () => number;
  /** Resolves when what was written has left: for what is larger than memory. */
  readonly drained?: () => Promise<void>;
}

/** The terminal of this process. */
export const TERMINAL: Io = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  stdin: () => Bun.stdin.text(),
  isInteractive: process.stdin.isTTY && process.stdout.isTTY,
  ask: async (question) => {
    process.stdout.write(question);
    for await (const line of console) return line;
    return '';
  },
  ...(process.stdout.isTTY ? { look: terminalLook(systemClock, Bun.enableANSIColors) } : {}),
  isErrTerminal: process.stderr.isTTY,
  nowMs: () => systemClock.nowMs(),
  drained: stdoutDrained,
};

let isWatched = false;

function stdoutDrained(): Promise<void> {
  if (!isWatched) process.stdout.on('error', readerGone);
  isWatched = true;
  if (!process.stdout.writableNeedDrain) return Promise.resolve();
  return new Promise((resolve) => process.stdout.once('drain', resolve));
}

/** Whoever reads has enough (`| head`): that is no failure. */
function readerGone(error: Error): never {
  if ('code' in error && error.code === 'EPIPE') process.exit(0);
  throw error;
}

/** A cell of a table; null prints as `-`. */
export type Cell = string | number | boolean | null;

const GAP = '  ';

/** Rows under a header in aligned columns, in the look of the command that runs. Columns in `right` (by index) are aligned to the right. */
export function table(header: readonly string[], rows: readonly (readonly Cell[])[], right: readonly number[] = []): string {
  const look = lookNow();
  const lines = [header.map(look.header), ...rows.map((row) => row.map((cell) => shown(cell, look)))];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => Bun.stringWidth(line[column] ?? ''))));
  return lines.map((line) => `${alignedLine(line, widths, right)}\n`).join('');
}

function alignedLine(cells: readonly string[], widths: readonly number[], right: readonly number[]): string {
  const padded = cells.map((cell, column) => {
    const space = ' '.repeat(widths[column]! - Bun.stringWidth(cell));
    return right.includes(column) ? space + cell : cell + space;
  });
  return padded.join(GAP).trimEnd();
}

/** Names and their values, one in a line, in the look of the command that runs. */
export function facts(pairs: readonly (readonly [string, Cell])[]): string {
  const look = lookNow();
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${look.header(name.padEnd(width))}${GAP}${shown(value, look)}\n`).join('');
}

/** What is dangerous to print goes before what we put around it. */
function shown(cell: Cell, look: Look): string {
  return look.cell(printable(cell));
}

/** JSON for programs: two spaces, one line feed at the end. */
export function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** A value as text. Clients choose model names and users: control characters of theirs must not reach a terminal. */
export function printable(value: Cell): string {
  if (value === null) return '-';
  // oxlint-disable-next-line no-control-regex -- these are what has to go
  return String(value).replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '?');
}
