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
  /** What the first try found, when this is the second. */
  readonly firstTry?: readonly string[];
}

const SHOWN_FINDINGS = 20;
const FIRST_TRY_SHOWN = 400;

/** Whether the goal of a line was met, missed, or could not be tried. */
export function wordOf(line: Line): 'ok' | 'FAILED' | 'skipped' {
  if (line.findings.length > 0) return 'FAILED';
  return line.skipped === undefined ? 'ok' : 'skipped';
}

/** A line as text, beginning with a word: ok, FAILED or skipped. */
export function printed(line: TimedLine): string {
  const details = line.findings.slice(0, SHOWN_FINDINGS).map((finding) => `\n          ${finding}`);
  const more = line.findings.length > SHOWN_FINDINGS ? `\n          and ${line.findings.length - SHOWN_FINDINGS} more` : '';
  const again =
    line.firstTry === undefined ? '' : `\n          SECOND TRY: the first one found ${line.firstTry.join('; ').slice(0, FIRST_TRY_SHOWN)}`;
  const head = `${wordOf(line).padEnd(8)}  ${line.name} (${line.seconds.toFixed(0)} s): ${line.attack}`;
  return `${head}\n          goal: ${line.goal}${again}\n          ${line.skipped ?? line.reached}${details.join('')}${more}`;
}

/** The closing lines: how many were made, which of them only went well on a second try, and the counts in the form in which the tests close. */
export function summary(lines: readonly TimedLine[], size: string): string {
  const minutes = lines.reduce((sum, { seconds }) => sum + seconds, 0) / 60;
  const failed = lines.filter((line) => wordOf(line) === 'FAILED').length;
  const again = lines.filter(({ firstTry }) => firstTry !== undefined).map(({ name }) => name);
  const tries = again.length === 0 ? '' : `; tried twice: ${again.join(', ')}`;
  return `${lines.length} attacks in ${minutes.toFixed(1)} minutes (${size}), ${failed} failed${tries}\n ${lines.length - failed} pass\n ${failed} fail`;
}
