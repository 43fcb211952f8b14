/** An address as 32-bit numbers: one for IPv4, four for IPv6. */
export type Words = readonly number[];

const COLON = 58;
const DOT = 46;
const GROUPS = 8;

/** Dotted decimal, or null. Written out, as the next one, because it runs for every request: a library takes microseconds. */
export function readIPv4(ip: string): Words | null {
  let value = 0;
  let octet = 0;
  let digits = 0;
  let dots = 0;
  for (let index = 0; index < ip.length; index++) {
    const code = ip.charCodeAt(index);
    if (code === DOT) {
      if (digits === 0 || octet > 255) return null;
      value = value * 256 + octet;
      octet = 0;
      digits = 0;
      dots++;
    } else if (code >= 48 && code <= 57 && digits < 3) {
      octet = octet * 10 + code - 48;
      digits++;
    } else return null;
  }
  return dots === 3 && digits > 0 && octet <= 255 ? [value * 256 + octet] : null;
}

/** Canonical IPv6 text (hexadecimal groups, at most one `::`), or null. An IPv4-mapped address is read as IPv4. */
export function readIPv6(ip: string): Words | null {
  const groups = [0, 0, 0, 0, 0, 0, 0, 0];
  let count = 0;
  let gap = -1;
  let value = 0;
  let digits = 0;
  for (let index = 0; index <= ip.length; index++) {
    const code = index === ip.length ? COLON : ip.charCodeAt(index);
    if (code !== COLON) {
      const digit = hexDigit(code);
      if (digit === -1 || ++digits > 4) return null;
      value = value * 16 + digit;
      continue;
    }
    if (digits > 0) {
      if (count === GROUPS) return null;
      groups[count++] = value;
      value = 0;
      digits = 0;
    }
    if (ip.charCodeAt(index + 1) === COLON && index + 1 < ip.length) {
      if (gap !== -1) return null;
      gap = count;
      index++;
    }
  }
  if (gap === -1 ? count !== GROUPS : count === GROUPS) return null;
  if (gap !== -1) spread(groups, gap, count);
  return wordsOf(groups);
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** Moves the groups after the gap to the end. */
function spread(groups: number[], gap: number, count: number): void {
  for (let moved = 1; moved <= count - gap; moved++) {
    groups[GROUPS - moved] = groups[count - moved]!;
    groups[count - moved] = 0;
  }
}

function wordsOf(groups: readonly number[]): Words {
  const word = (at: number): number => groups[at]! * 65_536 + groups[at + 1]!;
  const isMapped = word(0) === 0 && word(2) === 0 && word(4) === 0xffff;
  return isMapped ? [word(6)] : [word(0), word(2), word(4), word(6)];
}
