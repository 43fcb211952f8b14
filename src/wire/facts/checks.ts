import { Refusal } from '../../domain/errors.ts';

/** A JSON object as it was parsed. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a parsed value is an object, and neither null nor an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The string, or null for anything else. */
export function stringOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** A member is absent when it is missing or null: providers treat both alike. */
export function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

/** 400 `invalid_value` that names the member and what it must be. */
export function invalid(param: string, must: string): Refusal {
  return new Refusal('invalid_value', `${param} must be ${must}.`, { param });
}

/** A refusal when the member is there and is not a boolean. */
export function checkBoolean(value: JsonObject, name: string): Refusal | null {
  const member = value[name];
  return isAbsent(member) || typeof member === 'boolean' ? null : invalid(name, 'true or false');
}

/** A refusal when the member is there and is not an integer of at least 1. */
export function checkCount(value: JsonObject, name: string): Refusal | null {
  const member = value[name];
  if (isAbsent(member) || (Number.isSafeInteger(member) && (member as number) >= 1)) return null;
  return invalid(name, 'an integer of at least 1');
}

/** The count, or null when absent. Call `checkCount` first. */
export function countOrNull(value: JsonObject, name: string): number | null {
  const member = value[name];
  return typeof member === 'number' ? member : null;
}

/** A refusal when the member is there and is not an object. */
export function checkObject(value: JsonObject, name: string): Refusal | null {
  const member = value[name];
  return isAbsent(member) || isObject(member) ? null : invalid(name, 'an object');
}
