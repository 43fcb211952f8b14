import type { JsonObject } from './checks.ts';

/** What makes two requests the same question. Model, sampling, `user`, `metadata`, `stream` and the like do not. */
const PARTS = ['instructions', 'messages', 'input', 'tools', 'functions', 'previous_response_id'] as const;

/** What is stored at the provider and belongs to the question: here an id says which. */
const STORED_PARTS = ['prompt', 'conversation'] as const;

/** Ids that an SDK or a provider makes anew each time. They are strings; a schema property of that name is an object. */
const RANDOM_IDS: ReadonlySet<string> = new Set(['id', 'call_id', 'tool_call_id', 'item_id', 'approval_request_id']);

/** Up to here a loop over the characters is faster than a call of the native hash. */
const SHORT_TEXT = 64;
const LANE_A = 0x01000193;
const LANE_B = 0x85ebca6b;

/**
 * Hashes a value into two lanes of 32 bits. Members of an object are summed, so that their order does not matter.
 * Numbers only: big integers and strings for every member would cost more than parsing the body did.
 */
class Lanes {
  a = 0;
  b = 0;

  mix(word: number): void {
    this.a = Math.imul(this.a ^ word, LANE_A);
    this.b = Math.imul((this.b << 5) ^ (this.b >>> 27) ^ word, LANE_B);
  }

  text(text: string): void {
    this.mix(text.length);
    if (text.length > SHORT_TEXT) {
      const hash = Bun.hash.xxHash3(text);
      this.mix(Number(hash & 0xffff_ffffn));
      this.mix(Number(hash >> 32n));
      return;
    }
    let { a, b } = this;
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      a = Math.imul(a ^ unit, LANE_A);
      b = Math.imul((b << 5) ^ (b >>> 27) ^ unit, LANE_B);
    }
    this.a = a;
    this.b = b;
  }

  value(value: unknown): void {
    if (typeof value === 'string') {
      this.mix(1);
      this.text(value);
    } else if (typeof value === 'number') this.number(value);
    else if (Array.isArray(value)) this.list(value);
    else if (typeof value === 'object' && value !== null) this.object(value as JsonObject);
    else this.mix(value === true ? 2 : value === false ? 3 : 4);
  }

  private number(value: number): void {
    this.mix(5);
    if ((value | 0) === value) this.mix(value);
    else this.text(String(value));
  }

  private list(items: readonly unknown[]): void {
    this.mix(6);
    for (const item of items) this.value(item);
    this.mix(7);
  }

  private object(value: JsonObject): void {
    const { a, b } = this;
    let sumA = 0;
    let sumB = 0;
    for (const key in value) {
      const member = value[key];
      if (member === null || (typeof member === 'string' && RANDOM_IDS.has(key))) continue;
      this.a = LANE_B;
      this.b = LANE_A;
      this.text(key);
      this.value(member);
      sumA = (sumA + this.finished(this.a)) | 0;
      sumB = (sumB + this.finished(this.b)) | 0;
    }
    this.a = a;
    this.b = b;
    this.mix(8);
    this.mix(sumA);
    this.mix(sumB);
  }

  /** Spreads the bits, so that sums of members do not cancel out. The finish of MurmurHash3. */
  finished(lane: number): number {
    let hash = Math.imul(lane ^ (lane >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return hash ^ (hash >>> 16);
  }
}

/**
 * 64 bits over what the model is asked: the same for the same messages and tools, whatever the order of keys,
 * the white space between them, and the ids. A long text goes by how it is spelt (its placeholder in the outline).
 * For counting repeats, not for security: a client that wants to differ will.
 */
export function fingerprintOf(value: JsonObject): bigint {
  const lanes = new Lanes();
  for (const part of PARTS) {
    const member = value[part];
    if (member === undefined || member === null) continue;
    lanes.text(part);
    lanes.value(member);
  }
  for (const stored of STORED_PARTS) if (value[stored]) lanes.text(JSON.stringify(value[stored]));
  return (BigInt(lanes.finished(lanes.a) >>> 0) << 32n) | BigInt(lanes.finished(lanes.b) >>> 0);
}
