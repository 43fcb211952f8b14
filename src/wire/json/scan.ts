/** The most levels of objects and arrays that a body may have. */
export const MAX_DEPTH = 64;

/** The most object members and array elements that a body may have, all together. */
export const MAX_MEMBERS = 100_000;

/** Knows strings whose end it finds faster than a search for quotes does: it gives the position of the closing quote, or -1. */
export interface StringEnds {
  endOf(quote: number): number;
}

/** What one pass over the bytes of a JSON object found. It checks nothing that `JSON.parse` checks. */
export interface Scan {
  readonly outcome: 'whole' | 'unfinished' | 'too_deep' | 'too_many_members';
  /** Position after the closing brace when `whole`. */
  readonly end: number;
  /** How many `name: value` pairs there are, at all depths, duplicates included. */
  readonly pairs: number;
  /** Four positions for each member of the outermost object: key, end of key, colon, and the comma or brace behind the value. */
  readonly marks: readonly number[];
  /** The bytes of numbers that a parsed value writes shorter than another reader may. */
  readonly shortenedNumberBytes: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const OPEN_ARRAY = 0x5b;
const CLOSE_OBJECT = 0x7d;
const CLOSE_ARRAY = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;
const PLUS = 0x2b;
const POINT = 0x2e;
const ZERO = 0x30;
const LARGE_E = 0x45;
const SMALL_E = 0x65;

/** Of a whole number, a parsed value keeps so many digits at least in number: `1` and 21 zeros are written `1e+21`. */
const EXACT_DIGITS = 21;

/** What is written as a whole number here may end in `.0` with another reader. */
const POINT_ZERO_BYTES = 2;

/** Strings are looked through by hand for so many bytes before native search takes over: a native call costs about as much. */
const NEAR_BYTES = 32;

/** Whether a byte is white space of JSON. */
export function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** The first position from `at` on that is no white space. */
export function skipSpace(bytes: Uint8Array, at: number): number {
  while (isSpace(bytes[at])) at++;
  return at;
}

/** The position of the quote that ends a string, or -1; `at` is inside the string and not behind a backslash. */
export function endOfString(bytes: Uint8Array, at: number): number {
  for (;;) {
    const quote = bytes.indexOf(QUOTE, at);
    if (quote < 0) return -1;
    let slash = quote;
    while (slash > at && bytes[slash - 1] === BACKSLASH) slash--;
    if ((quote - slash) % 2 === 0) return quote;
    // Where one quote is escaped the next is mostly near.
    at = quote + 1;
    const near = at + NEAR_BYTES;
    while (at < near && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
    if (at < near) return at;
  }
}

/**
 * Looks once over the object whose `{` is at `start`. Stops early past the limits of depth and members.
 * With an `outerDepth` of 1 `start` is a place inside the object, between two members. `long` is asked first for the end of a long string.
 */
export function scanObject(bytes: Uint8Array, start: number, outerDepth: 0 | 1 = 0, long: StringEnds | null = null): Scan {
  const marks: number[] = [];
  const length = bytes.length;
  let depth: number = outerDepth;
  let members = 0;
  let pairs = 0;
  let shortenedNumberBytes = 0;
  let wantsKey = false;
  for (let at = start; at < length; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) {
      // Here and not in a function, and each byte read once: this loop is where the time goes.
      const near = at + NEAR_BYTES;
      let quote = at + 1;
      let inside = bytes[quote];
      while (inside !== QUOTE) {
        if (inside === BACKSLASH) quote++;
        quote++;
        if (quote >= near) break;
        inside = bytes[quote];
      }
      if (inside !== QUOTE) {
        const known = long === null ? -1 : long.endOf(at);
        quote = known < 0 ? endOfString(bytes, quote) : known;
      }
      if (quote < 0) break;
      if (wantsKey && depth === 1) marks.push(at, quote + 1);
      at = quote;
    } else if (byte === COMMA) {
      members++;
      if (depth === 1) {
        marks.push(at);
        wantsKey = true;
      }
    } else if (byte < COLON) {
      // Digits and white space: the most of what is left.
      if (byte < PLUS) continue;
      const first = at;
      for (let next = bytes[at + 1]!; next >= PLUS && next < COLON && next !== COMMA; next = bytes[at + 1]!) at++;
      if (isShortened(bytes, first, at)) shortenedNumberBytes += at + 1 - first + POINT_ZERO_BYTES;
    } else if (byte === COLON) {
      pairs++;
      if (depth === 1) {
        marks.push(at);
        wantsKey = false;
      }
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      // An opener counts its first element; an empty pair takes that back when it closes.
      members++;
      depth++;
      if (depth > MAX_DEPTH) return stopped('too_deep', pairs, marks);
      wantsKey = depth === 1;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      if (isEmptyBefore(bytes, at)) members--;
      else if (depth === 1) marks.push(at);
      depth--;
      if (depth === 0)
        return { outcome: members > MAX_MEMBERS ? 'too_many_members' : 'whole', end: at + 1, pairs, marks, shortenedNumberBytes };
    }
  }
  return stopped(members > MAX_MEMBERS ? 'too_many_members' : 'unfinished', pairs, marks);
}

function stopped(outcome: Scan['outcome'], pairs: number, marks: readonly number[]): Scan {
  return { outcome, end: -1, pairs, marks, shortenedNumberBytes: 0 };
}

/** Whether the digits from `first` to `last` may be more than comes back: very many, zeros behind a point (`1.0` is written `1`), `1e0`. */
function isShortened(bytes: Uint8Array, first: number, last: number): boolean {
  if (last - first >= EXACT_DIGITS || bytes[last + 1] === SMALL_E || bytes[last + 1] === LARGE_E) return true;
  if (bytes[last] !== ZERO) return false;
  for (let at = last - 1; at > first; at--) if (bytes[at] === POINT) return true;
  return false;
}

/** Whether the brace or bracket at `at` closes a pair with nothing inside. */
function isEmptyBefore(bytes: Uint8Array, at: number): boolean {
  let before = at - 1;
  while (isSpace(bytes[before])) before--;
  return bytes[before] === OPEN_OBJECT || bytes[before] === OPEN_ARRAY;
}
