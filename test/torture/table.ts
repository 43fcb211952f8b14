/** One line of the table of attacks. */
export interface Line {
  readonly attack: string;
  readonly goal: string;
  readonly reached: string;
  /** What is not as it has to be. Empty when the goal is met. */
  readonly findings: readonly string[];
  /** Why the attack could not be made here; absent when it was. */
  readonly skipped?: string;
  /** True when the row itself broke or took too long: it proves nothing. */
  readonly broken?: boolean;
}

/** A line with the name of its row and how long that took. */
export interface TimedLine extends Line {
  readonly name: string;
  readonly seconds: number;
}

const SHOWN_FINDINGS = 20;

/** Whether the goal of a line was met, missed, or could not be tried. */
export function wordOf(line: Line): 'ok' | 'FAILED' | 'skipped' {
  if (line.findings.length > 0) return 'FAILED';
  return line.skipped === undefined ? 'ok' : 'skipped';
}

/** A line as text, beginning with a word: ok, FAILED or skipped. */
export function printed(line: TimedLine): string {
  const details = line.findings.slice(0, SHOWN_FINDINGS).map((finding) => `\n          ${finding}`);
  const more = line.findings.length > SHOWN_FINDINGS ? `\n          and ${line.findings.length - SHOWN_FINDINGS} more` : '';
  const head = `${wordOf(line).padEnd(8)}  ${line.name} (${line.seconds.toFixed(0)} s): ${line.attack}`;
  return `${head}\n          goal: ${line.goal}\n          ${line.skipped ?? line.reached}${details.join('')}${more}`;
}
