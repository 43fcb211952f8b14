import { isSpace } from './scan.ts';

/**
 * Strings of at least so many bytes are left where they stand, if they are plain and a text for the model: to unescape a long
 * text costs more than all the rest of a request does, and nobody here reads it.
 */
export const LONG_BYTES = 2_048;

/** What stands for a long text in the outline of a body, and what is known of the text. */
export interface LongText {
  readonly placeholder: string;
  /** UTF-8 bytes of the text without its escapes; it is ASCII, so NFKC changes nothing. */
  readonly textBytes: number;
  /** Bytes of the text as `JSON.stringify` would write it, quotes included. */
  readonly jsonBytes: number;
}

/** The long texts of a body by their placeholder. */
export type LongTexts = ReadonlyMap<string, LongText>;

/** For a body that was read as a whole. */
export const NO_LONG_TEXTS: LongTexts = new Map();

/** Placeholders begin with half of a surrogate pair. UTF-8 cannot hold it: only an escape could say it, and that is looked for. */
const MARK = '\udc00';
const MARK_ESCAPED = /\\udc00/i;
const STRINGIFIED = /"(?:\\udc00)([^"]*)"/g;

/** The names whose long strings are only counted, hashed and compared by what reads the facts. */
const NAMES = ['content', 'text', 'input', 'output', 'instructions'].map((name) => Buffer.from(`"${name}"`));

/** Bytes that stand for themselves in a string: ASCII without control characters, quote and backslash. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 0x20 && byte < 0x80 && byte !== 0x22 && byte !== 0x5c ? 1 : 0));
/** What may follow a backslash in a plain string: all but `u`. 2 for the one that `JSON.stringify` writes bare. */
const ESCAPED = new Uint8Array(256);
for (const letter of '"\\bfnrt') ESCAPED[letter.charCodeAt(0)] = 1;
ESCAPED[0x2f] = 2;

const HIGH_BITS = 0x8080_8080 | 0;
const BACKSLASHES = 0x5c5c_5c5c;
const ONES = 0x0101_0101;
/** With this bit turned, the quote comes right above the control characters. */
const TURN_QUOTES = 0x0202_0202;
const PAST_QUOTES = 0x2121_2121;

/**
 * Not 0 when one of four bytes does not stand for itself: then one of its two differences is below zero, or keeps the high bit of what
 * is not ASCII (the first one loses it for 0xdc alone, the second does not). Only a byte that is looked for borrows from the next one.
 */
function oddBits(word: number): number {
  return (((word ^ BACKSLASHES) - ONES) | ((word ^ TURN_QUOTES) - PAST_QUOTES)) & HIGH_BITS;
}

interface Span {
  readonly start: number;
  readonly end: number;
  readonly text: LongText;
}

/** Finds the long texts of a body while it is scanned. */
export class LongStrings {
  readonly #words: Int32Array;
  readonly #spans: Span[] = [];
  /** Of the string that was looked at last. */
  #escapes = 0;
  #slashes = 0;

  constructor(readonly bytes: Uint8Array) {
    const { buffer, byteOffset, byteLength } = bytes;
    this.#words = byteOffset % 4 === 0 ? new Int32Array(buffer, byteOffset, byteLength >> 2) : new Int32Array(0);
  }

  /** The position of the quote that ends the string which `quote` opens, or -1 when it is none that may be left unread. */
  endOf(quote: number): number {
    if (!isNamedLong(this.bytes, quote)) return -1;
    const end = this.#endOfPlain(quote + 1);
    if (end - quote > LONG_BYTES) this.#spans.push({ start: quote, end: end + 1, text: this.#textOf(quote + 1, end) });
    return end;
  }

  /** The JSON of the body with its long texts replaced, or null when there are none or a client wrote such a placeholder itself. */
  outline(decode: (bytes: Uint8Array) => string): { readonly json: string; readonly texts: LongTexts } | null {
    if (this.#spans.length === 0) return null;
    const texts = new Map<string, LongText>();
    let json = '';
    let from = 0;
    for (const { start, end, text } of this.#spans) {
      const between = decode(this.bytes.subarray(from, start));
      if (MARK_ESCAPED.test(between)) return null;
      texts.set(text.placeholder, text);
      // The escape and not the character itself, which would make two bytes of each that is left.
      json += `${between}"\\udc00${text.placeholder.slice(MARK.length)}"`;
      from = end;
    }
    const rest = decode(this.bytes.subarray(from));
    return MARK_ESCAPED.test(rest) ? null : { json: json + rest, texts };
  }

  /** Eight bytes at a time, but four looked at by four: escapes are often near to each other, and the bytes before one are then few. */
  #endOfPlain(from: number): number {
    const bytes = this.bytes;
    const words = this.#words;
    const last = words.length - 1;
    let at = from;
    let escapes = 0;
    let slashes = 0;
    for (;;) {
      while ((at & 3) !== 0 && PLAIN[bytes[at]!] === 1) at++;
      if ((at & 3) === 0) {
        let index = at >> 2;
        while (index < last) {
          if (oddBits(words[index]!) !== 0) break;
          if (oddBits(words[index + 1]!) !== 0) {
            index++;
            break;
          }
          index += 2;
        }
        at = index << 2;
        while (PLAIN[bytes[at]!] === 1) at++;
      }
      if (bytes[at] !== 0x5c) break;
      const kind = ESCAPED[bytes[at + 1]!];
      if (kind === undefined || kind === 0) return -1;
      escapes++;
      slashes += kind >> 1;
      at += 2;
    }
    this.#escapes = escapes;
    this.#slashes = slashes;
    return bytes[at] === 0x22 ? at : -1;
  }

  /** Equal texts get equal placeholders: who compares or hashes them need not know. Two spellings of one text differ. */
  #textOf(start: number, end: number): LongText {
    const textBytes = end - start - this.#escapes;
    const jsonBytes = end - start - this.#slashes + 2;
    const hash = Bun.hash.xxHash3(this.bytes.subarray(start, end)).toString(36);
    // Both counts, so that not even texts which were made to have one hash can pass for each other with another count.
    return { placeholder: `${MARK}${textBytes}.${jsonBytes}.${hash}`, textBytes, jsonBytes };
  }
}

/** Whether the string at `quote` is the value of a member that may be long. A name behind a backslash is none of ours. */
function isNamedLong(bytes: Uint8Array, quote: number): boolean {
  let at = quote - 1;
  while (isSpace(bytes[at])) at--;
  if (bytes[at] !== 0x3a) return false;
  at--;
  while (isSpace(bytes[at])) at--;
  return NAMES.some((name) => endsWith(bytes, at, name));
}

function endsWith(bytes: Uint8Array, last: number, name: Uint8Array): boolean {
  const before = last - name.length;
  for (let index = name.length; index > 0; index--) if (bytes[before + index] !== name[index - 1]) return false;
  return bytes[before] !== 0x5c;
}

/** How many bytes the placeholders within a stringified value are short of what they stand for. */
export function bytesShort(json: string, texts: LongTexts): number {
  let short = 0;
  for (const [whole, rest] of json.matchAll(STRINGIFIED)) {
    const text = texts.get(MARK + rest);
    if (text !== undefined) short += text.jsonBytes - whole.length;
  }
  return short;
}
