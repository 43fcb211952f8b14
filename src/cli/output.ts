/** Where the command line writes, and what it reads. */
export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** All of the standard input. */
  readonly stdin: () => Promise<string>;
  /** Whether a person sits there who can answer a question. */
  readonly isInteractive: boolean;
  /** Asks that person, and resolves to the answer. */
  readonly ask: (question: string) => Promise<string>;
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
};

/** A cell of a table; null prints as `-`. */
export type Cell = string | number | boolean | null;

const GAP = '  ';

/** Rows under a header in aligned columns. Columns in `right` (by index) are aligned to the right. */
export function table(header: readonly string[], rows: readonly (readonly Cell[])[], right: readonly number[] = []): string {
  const lines = [header, ...rows.map((row) => row.map(printable))];
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

/** Names and their values, one in a line. */
export function facts(pairs: readonly (readonly [string, Cell])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}${GAP}${printable(value)}\n`).join('');
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
