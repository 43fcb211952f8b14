/** How it stands with one thing. `fail` needs a hand, `warn` a look. */
export type FindingState = 'ok' | 'warn' | 'fail';

/** One thing that was looked at. Holds no secret. */
export interface Finding {
  /** What was looked at, in a word or two: `master key`, `provider openai`. */
  readonly check: string;
  readonly state: FindingState;
  /** What was found, one sentence without an end. */
  readonly found: string;
  /** What to do about it, often a command; null when all is well. */
  readonly fix: string | null;
}

export function well(check: string, found: string): Finding {
  return { check, state: 'ok', found, fix: null };
}

export function warn(check: string, found: string, fix: string): Finding {
  return { check, state: 'warn', found, fix };
}

export function fail(check: string, found: string, fix: string): Finding {
  return { check, state: 'fail', found, fix };
}
