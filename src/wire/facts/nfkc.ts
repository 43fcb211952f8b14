/**
 * Every character whose NFKC form takes more UTF-8 bytes than itself, and some neighbours: ranges of code points in hexadecimal.
 * Found by trying all of them; `test/wire/facts/nfkc.test.ts` tries them again on the running engine.
 */
const MAY_GROW_RANGES = `
  a8 af b4 b8 bc-be 13f-140 149 1c4-1c6 2d8-2dd 344 37a 384-385 587 675-678 958-95f 9dc-9df a33-a36 a59-a5e
  b5c-b5d e33 eb3 edc-edd f43-f5c f69-f81 f93-fac fb9 1fc1-1fcf 1fdd-1fdf 1fed-1fee 2033-2037 2057 2150-2177
  2189 222c-2230 247d-2487 2a0c 2adc 309b-309c 309f 30ff 3200-3243 327c-327d 32c0-32cb 32ff-3389 33a7-33af
  33c2-33c6 33d8-33fe fa6c facf-fad7 fb13-fb4f fbdd-fd3d fd50-fdc7 fdf0-fdfc fe71-fe7f fef5-fefc
  1d15e-1d164 1d1bb-1d1c0 1f12a 1f200-1f201 1f240-1f248
`;

/**
 * A mark that combines may take the letter of an accented character and leave its accent behind, in up to three bytes more
 * (`ñ` and a dot below). Of all marks only these do.
 */
const MARKS = { from: 0x300, to: 0x36f };
const MARK_GAIN = 3;
/** In the table: a surrogate whose pair may be in a range. */
const PAIR = 255;

interface Growth {
  /** Bytes that each UTF-16 unit gains, or `PAIR`. */
  readonly units: Uint8Array;
  readonly pairs: ReadonlyMap<number, number>;
}

function gainOf(codePoint: number): number {
  const text = String.fromCodePoint(codePoint);
  return Math.max(0, Buffer.byteLength(text.normalize('NFKC')) - Buffer.byteLength(text));
}

function measure(): Growth {
  const units = new Uint8Array(65_536);
  const pairs = new Map<number, number>();
  units.fill(MARK_GAIN, MARKS.from, MARKS.to + 1);
  for (const range of MAY_GROW_RANGES.trim().split(/\s+/)) {
    const [from, to] = range.split('-').map((hex) => Number.parseInt(hex, 16));
    for (let codePoint = from!; codePoint <= (to ?? from!); codePoint++) {
      if (codePoint < 65_536) units[codePoint] = Math.max(units[codePoint]!, gainOf(codePoint));
      else {
        pairs.set(codePoint, gainOf(codePoint));
        units[String.fromCodePoint(codePoint).charCodeAt(0)] = PAIR;
      }
    }
  }
  return { units, pairs };
}

let growth: Growth | null = null;

/**
 * A bound of the UTF-8 bytes of a text after NFKC, never under `bytes`, its own: the gains of its characters are summed.
 * To normalize a text costs more than to parse the body did, and composing them only takes bytes away.
 */
export function nfkcBytes(text: string, bytes: number): number {
  if (bytes === text.length) return bytes;
  growth ??= measure();
  const { units, pairs } = growth;
  let gained = 0;
  for (let index = 0; index < text.length; index++) {
    const gain = units[text.charCodeAt(index)]!;
    if (gain !== 0) gained += gain === PAIR ? (pairs.get(text.codePointAt(index)!) ?? 0) : gain;
  }
  return bytes + gained;
}
