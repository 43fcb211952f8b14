import { isUtf8 } from 'node:buffer';
import { Refusal } from '../domain/errors.ts';
import { countKeys, findDuplicate } from './json/duplicates.ts';
import { LONG_BYTES, LongStrings, NO_LONG_TEXTS, type LongTexts } from './json/long-text.ts';
import { isNamed, spansOf, type MemberSpan } from './json/members.ts';
import { MAX_DEPTH, MAX_MEMBERS, scanObject, skipSpace } from './json/scan.ts';

export type { LongTexts } from './json/long-text.ts';
export type { MemberSpan } from './json/members.ts';

/** A request body that can be read in one way only, with the bytes that it came in. */
export class JsonBody {
  #spans: readonly MemberSpan[] | null = null;
  #value: Readonly<Record<string, unknown>> | null = null;

  constructor(
    readonly bytes: Uint8Array,
    /** The parsed body, but with a placeholder for each of its `longTexts`. */
    readonly outline: Readonly<Record<string, unknown>>,
    readonly longTexts: LongTexts,
    /** Position of the first brace. */
    readonly start: number,
    /** Position after the last brace. */
    readonly end: number,
    private readonly marks: readonly number[],
    /** See `Scan`. */
    readonly shortenedNumberBytes = 0,
  ) {}

  /** The whole of the parsed body. Where it has long texts, they are read now: ask `outline` or `has` when that is enough. */
  get value(): Readonly<Record<string, unknown>> {
    this.#value ??= this.longTexts.size === 0 ? this.outline : (JSON.parse(decode(this.bytes)) as Record<string, unknown>);
    return this.#value;
  }

  /** Whether the outermost object has a member of this name. */
  has(name: string): boolean {
    return Object.hasOwn(this.outline, name);
  }

  /** The members of the outermost object in their order. */
  get members(): readonly MemberSpan[] {
    this.#spans ??= spansOf(this.bytes, this.marks);
    return this.#spans;
  }

  /** Where the outermost member of this name stands in the bytes, or null. */
  member(name: string): MemberSpan | null {
    return this.members.find((span) => isNamed(this.bytes, span.keyStart, span.keyEnd, name)) ?? null;
  }
}

/** Names come from the client and may be long: so many characters of a path are shown. */
const MAX_SHOWN_PATH = 200;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const decode = (bytes: Uint8Array): string => decoder.decode(bytes);

/**
 * Reads a request body, strictly: what we judge must be what every other reader of the same bytes sees.
 * Refuses (400) an empty body, a byte-order mark, invalid UTF-8, anything but one JSON object, a name that comes twice
 * at any depth, and more levels or members than `MAX_DEPTH` and `MAX_MEMBERS`.
 * Big integers are rounded in `value` but stay in `bytes`; a lone surrogate escape is allowed, because the bytes go on as they are.
 */
export function parseBody(bytes: Uint8Array): JsonBody | Refusal {
  if (bytes.length === 0) return invalid('The request has no body. Send a JSON object.');
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    return invalid('The body begins with a byte-order mark. Send UTF-8 without one.');
  }
  if (!isUtf8(bytes)) return new Refusal('invalid_utf8', 'The body is not valid UTF-8. Encode it as UTF-8.');
  const start = skipSpace(bytes, 0);
  if (bytes[start] !== 0x7b) return invalid('The body is not a JSON object: it must begin with a brace.');
  const long = bytes.length > LONG_BYTES ? new LongStrings(bytes) : null;
  const { outcome, end, pairs, marks, shortenedNumberBytes } = scanObject(bytes, start, 0, long);
  if (outcome === 'too_deep') {
    return new Refusal('too_deep', `The body has more than ${MAX_DEPTH} levels of objects and arrays. Flatten it.`);
  }
  if (outcome === 'too_many_members') {
    const limit = MAX_MEMBERS.toLocaleString('en');
    return new Refusal('too_many_members', `The body has more than ${limit} members and elements. Split the request.`);
  }
  if (outcome === 'unfinished') return invalid('The body ends before its JSON does. Was it cut off?');
  if (skipSpace(bytes, end) !== bytes.length) {
    return invalid(`The body goes on after its JSON object, at byte ${skipSpace(bytes, end)}. Send one object only.`);
  }
  // A plain string stands for a plain string, so what is valid stays valid, and what is not stays not.
  const short = long?.outline(decode) ?? null;
  const outline = parseObject(short === null ? decode(bytes) : short.json);
  if (outline === null) return invalid('The body is not valid JSON. Look for a missing quote, comma or brace.');
  if (countKeys(outline) !== pairs) return duplicate(bytes);
  return new JsonBody(bytes, outline, short?.texts ?? NO_LONG_TEXTS, start, end, marks, shortenedNumberBytes);
}

function parseObject(json: string): Record<string, unknown> | null {
  try {
    return JSON.parse(json) as Record<string, unknown>;
  } catch {
    return null;
  }
}

function invalid(message: string): Refusal {
  return new Refusal('invalid_json', message);
}

function duplicate(bytes: Uint8Array): Refusal {
  const found = findDuplicate(bytes)?.slice(0, MAX_SHOWN_PATH);
  const where = found === undefined ? 'A name' : `The member ${JSON.stringify(found)}`;
  const message = `${where} comes twice in one object: readers would disagree on which one counts. Send it once.`;
  return new Refusal('duplicate_key', message, found === undefined ? {} : { param: found });
}
