import { hkdfSync } from 'node:crypto';
import { CHAIN_SEAL } from '../../src/ledger/sqlite/chain/key.ts';

/** Secrets that were planted, by name: texts that stand nowhere by chance. */
export type Canaries = Readonly<Record<string, string>>;

/** How many characters of a canary's end count as the canary. */
const END_CHARACTERS = 12;
/** What the program makes of a master key. */
const PURPOSES = ['seal', CHAIN_SEAL];

/** Everything that came out, by where it came from. */
export class Places {
  readonly seen = new Map<string, string>();

  /** A second text of the same place is added to the first. */
  add(place: string, text: string): void {
    this.seen.set(place, `${this.seen.get(place) ?? ''}${text}\n`);
  }

  /** An answer with its headers; one that breaks off counts as far as it came. */
  async keep(place: string, response: Response): Promise<void> {
    const headers = [...response.headers].map(([header, value]) => `${header}: ${value}`).join('\n');
    this.add(place, `${headers}\n\n${await response.text().catch((broken: unknown) => `broken: ${String(broken)}`)}`);
  }
}

/** Where a canary was seen: the whole, its end alone, or in another spelling. One line for each place and canary. */
export function leaks(places: ReadonlyMap<string, string>, canaries: Canaries): string[] {
  return Object.entries(canaries).flatMap(([name, canary]) => {
    const forms = spellings(canary);
    return [...places].filter(([, text]) => forms.some((form) => text.includes(form))).map(([place]) => `${name} in ${place}`);
  });
}

/** A text as it may stand in others: plain, its end, in hex, percent-encoded, and within base64 at each of its three offsets. */
export function spellings(canary: string): string[] {
  const bytes = Buffer.from(canary);
  const inBase64 = [0, 1, 2].map((skip) => bytes.subarray(skip, skip + 3 * Math.floor((bytes.length - skip) / 3)).toString('base64'));
  return [canary, canary.slice(-END_CHARACTERS), bytes.toString('hex'), encodeURIComponent(canary), ...inBase64];
}

/** A master key of 32 bytes in every form in which it could be seen, and the keys that are made from it. */
export function masterKeyCanaries(name: string, key: Uint8Array): Canaries {
  const made = PURPOSES.map((purpose) => [`${name}: ${purpose}`, new Uint8Array(hkdfSync('sha256', key, 'panicly', purpose, 32))] as const);
  return Object.fromEntries(
    [[name, key] as const, ...made].flatMap(([what, bytes]) =>
      (['base64', 'hex', 'latin1'] as const).map((form) => [`${what} (${form})`, Buffer.from(bytes).toString(form).replace(/=+$/, '')]),
    ),
  );
}
