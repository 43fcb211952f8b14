/** A line of the benchmark's table. */
export interface Row {
  /** What was done. */
  readonly shape: string;
  /** Who did it. */
  readonly who: string;
  readonly figures: string;
  /** What the figure should be; empty for those that are only there to compare with. */
  readonly goal: string;
  /** Null when there is no goal. */
  readonly met: boolean | null;
}

/** A figure without a goal. */
export function figure(shape: string, who: string, figures: string): Row {
  return { shape, who, figures, goal: '', met: null };
}

/** A figure with a goal. */
export function judged(shape: string, who: string, figures: string, goal: string, met: boolean): Row {
  return { shape, who, figures, goal, met };
}

/** The table in aligned columns. */
export function printed(rows: readonly Row[]): string {
  const header = ['shape', 'who', 'figures', 'goal', ''];
  const lines = [header, ...rows.map((row) => [row.shape, row.who, row.figures, row.goal, outcomeOf(row)])];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => Bun.stringWidth(line[column]!))));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell + ' '.repeat(widths[column]! - Bun.stringWidth(cell)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function outcomeOf({ met }: Row): string {
  return met === null ? '' : met ? 'ok' : 'MISSED';
}
