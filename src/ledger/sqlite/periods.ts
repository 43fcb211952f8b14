/** Where rollups and balances begin: UTC hours, days and months. All times in milliseconds since 1970. */
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

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
