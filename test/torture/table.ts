/** One line of the table of attacks. */
export interface Line {
  readonly attack: string;
  readonly goal: string;
  readonly reached: string;
  /** What is not as it has to be. Empty when the goal is met. */
  readonly findings: readonly string[];
  /** Why the attack could not be made here; absent when it was. */
  readonly skipped?: string;
}

/** The lines as text, a word for each: ok, FAILED or skipped. */
export function printed(lines: readonly Line[]): string {
  return lines
    .map((line) => {
      const word = line.skipped !== undefined ? 'skipped' : line.findings.length === 0 ? 'ok' : 'FAILED';
      const details = line.findings.slice(0, 20).map((finding) => `\n          ${finding}`);
      return `${word.padEnd(8)}  ${line.attack}\n          goal: ${line.goal}\n          ${line.skipped ?? line.reached}${details.join('')}`;
    })
    .join('\n');
}
