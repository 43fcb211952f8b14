const FIRST_MS = 5_000;
const LONGEST_MS = 3_600_000;
/** A receiver that took nothing for so long is given up. */
const GIVEN_UP_AFTER_MS = 86_400_000;

/**
 * When to try again after `attempts` failures, milliseconds of ledger time: 5 seconds, doubled each time, at most an hour,
 * between half and all of it by `random` (0 to 1), and not before the receiver wants it. Null when a day has passed since the event.
 */
export function nextAttemptMs(
  attempts: number,
  createdAtMs: number,
  nowMs: number,
  random: number,
  retryAfterSeconds: number | null,
): number | null {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempts - 1, 20));
  const waitMs = Math.max(Math.round(longest * (0.5 + random / 2)), (retryAfterSeconds ?? 0) * 1_000);
  const atMs = nowMs + waitMs;
  return atMs > createdAtMs + GIVEN_UP_AFTER_MS ? null : atMs;
}
