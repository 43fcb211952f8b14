import type { MediaPart } from '../../domain/facts.ts';
import { bytesShort, type LongTexts } from '../json/long-text.ts';
import { isObject, type JsonObject } from './checks.ts';
import { indentTokens } from './indent.ts';
import { nfkcBytes } from './nfkc.ts';

/** Ids of providers have up to so many characters. */
const SHORT_LABEL = 64;

/** A cache of more than five minutes, asked for where we do not look for it by its name. */
const LONG_CACHE = /"cache_control":\{[^{}]*"ttl":"(?!5m")/;

/** Sums what a body says while its parts are walked. One for each request. */
export class Tally {
  textBytes = 0;
  nfkcTextBytes = 0;
  toolBytes = 0;
  messageCount = 0;
  toolCount = 0;
  longCacheWrites = false;
  wantsLongAnswer = false;
  readonly media: MediaPart[] = [];
  readonly storedReferences: string[] = [];
  readonly hostedTools: string[] = [];
  readonly unknownFields: string[] = [];

  constructor(readonly longTexts: LongTexts) {}

  /** A text that becomes input. */
  text(text: string): void {
    const long = this.longTexts.size === 0 ? undefined : this.longTexts.get(text);
    if (long !== undefined) return this.#add(long.textBytes, long.textBytes);
    const bytes = Buffer.byteLength(text);
    this.#add(bytes, nfkcBytes(text, bytes));
  }

  /** What stands between two parts: many servers join them with a line break, and it is a token even where a part is empty. */
  partBreaks(count: number): void {
    if (count > 0) this.#add(count, count);
  }

  /** A value whose shape we do not know: the model may see all of it, spelt as JSON. */
  json(value: unknown): void {
    if (typeof value === 'string') this.text(value);
    else if (value !== undefined && value !== null) this.#stringified(JSON.stringify(value));
  }

  #stringified(json: string): void {
    this.text(json);
    if (LONG_CACHE.test(json)) this.longCacheWrites = true;
    if (this.longTexts.size === 0) return;
    const short = bytesShort(json, this.longTexts);
    this.#add(short, short);
  }

  #add(bytes: number, nfkcBytes: number): void {
    this.textBytes += bytes;
    this.nfkcTextBytes += nfkcBytes;
  }

  /** Numbers that stand anywhere: as if they were part of a tool, which counts the most. */
  shortenedNumbers(bytes: number): void {
    this.#add(bytes, bytes);
    this.toolBytes += bytes;
  }

  /** A name or an id: templates write some of them out. A short one is in what a message counts for beside its text. */
  label(value: unknown): void {
    if (typeof value === 'string' && value.length > SHORT_LABEL) this.text(value);
  }

  /** A tool definition, schema or format: text too, but providers render it in their own way. */
  schema(value: unknown): void {
    const before = this.textBytes;
    this.json(value);
    const bytes = this.textBytes - before;
    // Indented, small values deep inside are mostly spaces: more tokens than twice their bytes, which is what a tool is held at.
    this.toolBytes += Math.max(bytes, indentTokens(value));
  }

  /** An id of something that is stored at the provider. */
  reference(id: unknown): void {
    if (typeof id === 'string' && id.length > 0) this.storedReferences.push(id);
  }

  /** A `cache_control` member, wherever it stands. */
  cacheControl(owner: JsonObject): void {
    const control = owner['cache_control'];
    if (isObject(control) && typeof control['ttl'] === 'string' && control['ttl'] !== '5m') this.longCacheWrites = true;
  }
}
