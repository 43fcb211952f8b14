import type { Line } from './table.ts';

/** How hard a row tries: all of it, what a change has to pass, or just enough to see a planted defect. */
export type Size = 'full' | 'quick' | 'bite';

/** A program that a row needs, and the package of Debian that has it. */
export interface Tool {
  readonly program: string;
  readonly debianPackage: string;
}

/** A text of one of our files that is found exactly once, and what stands there instead. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A defect that a row is there to find: edits of a copy of the sources, of which a binary is built, or a switch that the row itself reads. */
export interface Bite {
  readonly name: string;
  readonly edits?: readonly Edit[];
  /** Variables of the environment of the row. */
  readonly env?: Readonly<Record<string, string>>;
}

/** One line of the table of attacks. */
export interface Row {
  readonly name: string;
  readonly needs?: readonly Tool[];
  /** After so many minutes the row is ended and counts as failed. */
  readonly limitMinutes: Readonly<Record<Size, number>>;
  readonly bites: readonly Bite[];
  run(size: Size): Promise<Line>;
}

/** Picks by size. */
export function sized<Value>(size: Size, values: Readonly<Record<Size, Value>>): Value {
  return values[size];
}
