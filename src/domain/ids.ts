/**
 * Public ids. A decision's id holds its ledger time and seq, so that it needs no column and no index of its own:
 * `dec_` + 9 base-36 digits of the time in milliseconds + base-36 digits of the seq.
 */
const TIME_DIGITS = 9;

/** The public id of the decision `seq`, made at `atMs`. */
export function decisionId(seq: number, atMs: number): string {
  return `dec_${atMs.toString(36).padStart(TIME_DIGITS, '0')}${seq.toString(36)}`;
}

/** The seq and time in a decision id, or null when it is not one. The row must have both. */
export function parseDecisionId(id: string): { seq: number; atMs: number } | null {
  const match = /^dec_([0-9a-z]{9})([0-9a-z]{1,11})$/.exec(id);
  if (!match) return null;
  const atMs = Number.parseInt(match[1]!, 36);
  const seq = Number.parseInt(match[2]!, 36);
  return Number.isSafeInteger(seq) && decisionId(seq, atMs) === id ? { seq, atMs } : null;
}

/** The prefixes of public ids of things that people make. */
export type IdPrefix = 'wsp' | 'prj' | 'key' | 'con' | 'opr' | 'alr' | 'aud' | 'req' | 'evt';

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

/** A new random public id: prefix and 16 base-36 characters (82 bits). */
export function newPublicId(prefix: IdPrefix): string {
  let id = `${prefix}_`;
  const bytes = crypto.getRandomValues(new Uint8Array(64));
  for (let index = 0, made = 0; made < 16; index = (index + 1) % bytes.length) {
    // 252 is the greatest multiple of 36 in a byte: what lies above would favour some letters.
    const byte = bytes[index]!;
    if (byte < 252) {
      id += ALPHABET[byte % 36]!;
      made++;
    } else if (index === bytes.length - 1) crypto.getRandomValues(bytes);
  }
  return id;
}
