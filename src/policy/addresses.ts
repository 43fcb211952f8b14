import ipaddr from 'ipaddr.js';
import { readIPv4, readIPv6, type Words } from './address-words.ts';

/** One entry of a network list as ranges of numbers. */
interface AddressRule {
  readonly text: string;
  readonly first: Words;
  readonly last: Words;
}

const IPV4_BITS = 32;
const IPV6_BITS = 128;
const MAPPED_PREFIX_BITS = 96;

/** Reads `203.0.113.0/24`, `2001:db8::/32` or one address. Null when it is none; IPv4-mapped IPv6 becomes IPv4. */
function parseRule(text: string): AddressRule | null {
  const [address, bitsText, more] = text.split('/');
  if (address === undefined || more !== undefined || address.includes('%')) return null;
  if (bitsText !== undefined && !/^\d{1,3}$/.test(bitsText)) return null;
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) return toRule(text, readIPv4(address), bitsText, IPV4_BITS);
  if (!address.includes(':') || !ipaddr.IPv6.isValid(address)) return null;
  const parsed = ipaddr.IPv6.parse(address);
  if (!parsed.isIPv4MappedAddress()) return toRule(text, readIPv6(parsed.toNormalizedString()), bitsText, IPV6_BITS);
  const bits = bitsText === undefined ? IPV6_BITS : Number(bitsText);
  // A mapped prefix that is shorter than the mapping itself would mix both families: nobody means that.
  if (bits < MAPPED_PREFIX_BITS || bits > IPV6_BITS) return null;
  return toRule(text, readIPv4(parsed.toIPv4Address().toString()), String(bits - MAPPED_PREFIX_BITS), IPV4_BITS);
}

function toRule(text: string, words: Words | null, bitsText: string | undefined, width: number): AddressRule | null {
  const bits = bitsText === undefined ? width : Number(bitsText);
  if (words === null || bits > width) return null;
  const first: number[] = [];
  const last: number[] = [];
  for (const [index, word] of words.entries()) {
    const hostBits = 32 - Math.min(32, Math.max(0, bits - index * 32));
    const size = 2 ** hostBits;
    const start = Math.floor(word / size) * size;
    first.push(start);
    last.push(start + size - 1);
  }
  return { text, first, last };
}

/** Whether `text` is an address or a network that a list may hold. */
export function isAddressRule(text: string): boolean {
  return parseRule(text) !== null;
}

/** A list of networks, ready for the hot path: merged ranges of numbers, searched by halves. */
export class AddressRules {
  readonly #rules: readonly AddressRule[];
  readonly #v4: RangeTable;
  readonly #v6: RangeTable;
  readonly size: number;

  /** Throws a RangeError for an entry that `isAddressRule` refuses. */
  constructor(entries: readonly string[]) {
    this.#rules = entries.map((text) => {
      const rule = parseRule(text);
      if (rule === null) throw new RangeError(`not an address or network: ${text}`);
      return rule;
    });
    this.size = entries.length;
    this.#v4 = rangeTable(this.#rules.filter(({ first }) => first.length === 1));
    this.#v6 = rangeTable(this.#rules.filter(({ first }) => first.length === 4));
  }

  /** The text of the first entry that holds the address (canonical text), or null. */
  match(ip: string): string | null {
    if (this.size === 0) return null;
    const words = ip.includes(':') ? readIPv6(ip) : readIPv4(ip);
    if (words === null || !holds(words.length === 1 ? this.#v4 : this.#v6, words)) return null;
    const found = this.#rules.find(
      ({ first, last }) => first.length === words.length && compare(first, 0, words) <= 0 && compare(last, 0, words) >= 0,
    );
    return found?.text ?? null;
  }
}

/** Ranges one after the other, each of `width` words; none overlap. */
interface RangeTable {
  readonly first: Float64Array;
  readonly last: Float64Array;
  readonly width: number;
}

function rangeTable(rules: readonly AddressRule[]): RangeTable {
  const merged: { readonly first: Words; last: Words }[] = [];
  for (const { first, last } of rules.toSorted((a, b) => compare(a.first, 0, b.first))) {
    const previous = merged.at(-1);
    if (previous === undefined || compare(previous.last, 0, first) < 0) merged.push({ first, last });
    else if (compare(previous.last, 0, last) < 0) previous.last = last;
  }
  return {
    first: Float64Array.from(merged.flatMap(({ first }) => first)),
    last: Float64Array.from(merged.flatMap(({ last }) => last)),
    width: merged[0]?.first.length ?? 1,
  };
}

function holds({ first, last, width }: RangeTable, words: Words): boolean {
  let low = 0;
  let high = first.length / width - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (compare(first, middle * width, words) > 0) high = middle - 1;
    else if (compare(last, middle * width, words) < 0) low = middle + 1;
    else return true;
  }
  return false;
}

/** Below, at, or above 0, as the words from `at` on are below, at, or above `words`. */
function compare(table: ArrayLike<number>, at: number, words: Words): number {
  for (let index = 0; index < words.length; index++) {
    const difference = table[at + index]! - words[index]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
