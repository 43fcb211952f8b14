/** Where rollups and balances begin: UTC hours, days and months. All times in milliseconds since 1970. */
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** How far back in time a budget, a start and a replay look by the day: longer than any month and rolling window. */
export const KEPT_DAYS = 33;
/** The same in milliseconds. */
export const KEPT_MS = KEPT_DAYS * DAY_MS;

/** The start of the hour that `atMs` is in. */
export function hourStart(atMs: number): number {
  return atMs - (atMs % HOUR_MS);
}

/** The start of the UTC day that `atMs` is in. */
export function dayStart(atMs: number): number {
  return atMs - (atMs % DAY_MS);
}

/** The start of the UTC month that `atMs` is in. */
export function monthStart(atMs: number): number {
  const date = new Date(atMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
}
