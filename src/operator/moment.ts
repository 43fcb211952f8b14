import { Refusal } from '../domain/errors.ts';
import type { Office } from './office.ts';

/** A moment in ISO 8601 as milliseconds since 1970. Throws a Refusal that names `param`. */
export function moment(text: string, param: string): number {
  const ms = /^\d{4}-\d\d-\d\d(?:T|$)/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw new Refusal('invalid_value', `${param} must be a time in ISO 8601, like 2026-11-22T14:00:00Z.`, { param });
  return ms;
}

/** A moment that is still to come. Throws a Refusal that names `param`. */
export function futureMoment(office: Office, text: string, param: string): number {
  const ms = moment(text, param);
  if (ms <= office.clock.nowMs()) throw new Refusal('invalid_value', 'The time of expiry has passed already.', { param });
  return ms;
}

/** A cursor of ours as the seq that it stands for; null at the beginning. Throws a Refusal for any other text. */
export function cursorOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new Refusal('invalid_value', 'The cursor is not one of ours.', { param: 'cursor' });
}
