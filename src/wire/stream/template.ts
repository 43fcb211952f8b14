import { isUtf8 } from 'node:buffer';

/** A member of an event whose value may be another one in the next: a text, or digits. */
export interface Varying {
  readonly name: string;
  readonly value: string | number;
  /** Whether its bytes count as delivered. */
  readonly isDelivered: boolean;
}

/** An event that says nothing but what it delivers. */
export interface PlainEvent {
  readonly deliveredBytes: number;
  readonly varying: readonly Varying[];
}

/** Where an event stands, and what is to be cut out of it: the same position twice for nothing. */
export interface TemplatePlace {
  readonly start: number;
  readonly end: number;
  readonly cutFrom: number;
  readonly cutTo: number;
}

/** Those of these members that are a text, or a number that does not count as delivered. */
export function varying(members: readonly (readonly [string, unknown])[], isDelivered: boolean): Varying[] {
  return members.flatMap(([name, value]) =>
    typeof value === 'string' || (typeof value === 'number' && !isDelivered) ? [{ name, value, isDelivered }] : [],
  );
}

/** Greater events are rare and not worth a copy for each stream. */
const MAX_TEMPLATE_BYTES = 2048;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const SPACE = 0x20;
const ZERO = 0x30;
const NINE = 0x39;

interface Hole {
  readonly start: number;
  readonly end: number;
  readonly isText: boolean;
  readonly isDelivered: boolean;
}

/**
 * One plain event of a stream: the next ones are mostly the same but for their texts. They are then known by comparing bytes,
 * which costs a quarter of decoding and parsing each. A comparison that holds proves that parsing would find the same members.
 */
export class Template {
  /** What the last `match` found: how many bytes are delivered, and how far its cut stands from that of the template. */
  deliveredBytes = 0;
  shift = 0;

  private constructor(
    private readonly bytes: Uint8Array,
    private readonly holes: readonly Hole[],
    private readonly fixedBytes: number,
    /** Positions in the template. */
    readonly cutFrom: number,
    readonly cutTo: number,
  ) {}

  /** The template of an event, or null when it cannot be one. */
  static of(source: Uint8Array, place: TemplatePlace, event: PlainEvent): Template | null {
    const { start, end } = place;
    if (end - start > MAX_TEMPLATE_BYTES) return null;
    const bytes = Buffer.from(source.buffer, source.byteOffset + start, end - start);
    // Without escapes every quote begins or ends a string, and a name is found by its bytes.
    if (bytes.includes(BACKSLASH)) return null;
    const holes = event.varying.flatMap((member) => holeOf(bytes, member) ?? []).sort((one, other) => one.start - other.start);
    let fixedBytes = event.deliveredBytes;
    for (const hole of holes) if (hole.isDelivered) fixedBytes -= hole.end - hole.start;
    return new Template(Uint8Array.from(bytes), holes, fixedBytes, place.cutFrom - start, place.cutTo - start);
  }

  /** Whether an event is like this one, its cut included. */
  fits(bytes: Uint8Array, { start, end, cutFrom, cutTo }: TemplatePlace): boolean {
    if (this.match(bytes, start) !== end) return false;
    if (cutFrom === cutTo) return this.cutFrom === this.cutTo;
    return this.cutFrom + this.shift === cutFrom && this.cutTo + this.shift === cutTo;
  }

  /** The end of the event at `at` when it is like the template, or -1. */
  match(bytes: Uint8Array, at: number): number {
    const { holes } = this;
    let delivered = this.fixedBytes;
    let from = 0;
    let here = at;
    for (let index = 0; index < holes.length; index++) {
      const hole = holes[index]!;
      if (from <= this.cutFrom) this.shift = here - from;
      here = this.#same(bytes, here, from, hole.start);
      if (here < 0) return -1;
      const end = hole.isText ? endOfText(bytes, here) : endOfDigits(bytes, here);
      if (end < 0) return -1;
      if (hole.isDelivered) delivered += end - here;
      here = end;
      from = hole.end;
    }
    if (from <= this.cutFrom) this.shift = here - from;
    this.deliveredBytes = delivered;
    return this.#same(bytes, here, from, this.bytes.length);
  }

  /** Compares with a part of the template: the position behind it, or -1. A loop: the parts are too short for a native call. */
  #same(bytes: Uint8Array, at: number, from: number, to: number): number {
    const own = this.bytes;
    if (at + to - from > bytes.length) return -1;
    for (let index = from; index < to; index++, at++) if (bytes[at] !== own[index]) return -1;
    return at;
  }
}

/** Where the value of a member stands, when its name stands once in the event. */
function holeOf(bytes: Buffer, { name, value, isDelivered }: Varying): Hole | null {
  const key = `"${name}"`;
  const keyStart = bytes.indexOf(key);
  if (keyStart < 0 || bytes.indexOf(key, keyStart + 1) >= 0) return null;
  let start = keyStart + key.length;
  while (bytes[start] === COLON || bytes[start] === SPACE) start++;
  if (typeof value === 'number') {
    const end = endOfDigits(bytes, start);
    return end < 0 ? null : { start, end, isText: false, isDelivered };
  }
  if (bytes[start] !== QUOTE) return null;
  const end = endOfText(bytes, start + 1);
  return end < 0 ? null : { start: start + 1, end, isText: true, isDelivered };
}

/** The position of the quote behind a text without escapes, or -1 for what is to be read in another way. */
function endOfText(bytes: Uint8Array, start: number): number {
  const { length } = bytes;
  let all = 0;
  for (let at = start; at < length; at++) {
    const byte = bytes[at]!;
    // What is no UTF-8 is decoded to something longer.
    if (byte === QUOTE) return all < 0x80 || isUtf8(bytes.subarray(start, at)) ? at : -1;
    if (byte === BACKSLASH || byte < SPACE) return -1;
    all |= byte;
  }
  return -1;
}

/** The position behind a whole number without a sign, a fraction or an exponent; -1 when it is another one, or none. */
function endOfDigits(bytes: Uint8Array, start: number): number {
  let at = start;
  while (bytes[at]! >= ZERO && bytes[at]! <= NINE) at++;
  const isWhole = at > start && (bytes[start] !== ZERO || at === start + 1);
  return isWhole && (bytes[at] === 0x2c || bytes[at] === 0x7d) ? at : -1;
}
