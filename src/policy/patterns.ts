import { baseModelName, foldModelName, skeletonOf, withoutModelSuffix } from './model-names.ts';

/** Tells whether a folded name fits one pattern. */
interface Pattern {
  readonly text: string;
  fits(folded: string): boolean;
}

const PATTERN_TEXT = /^[A-Za-z0-9._:/@+~*-]{1,200}$/;

/** Whether `text` may stand in a list of models: the characters of model names and `*`. */
export function isModelPattern(text: string): boolean {
  return PATTERN_TEXT.test(text);
}

function compileOne(text: string, folded: string): Pattern {
  const star = folded.indexOf('*');
  if (star === -1) return { text, fits: (name) => name === folded };
  if (star === folded.length - 1) {
    const prefix = folded.slice(0, -1);
    return { text, fits: (name) => name.startsWith(prefix) };
  }
  const pieces = folded.split('*');
  return { text, fits: (name) => fitsPieces(name, pieces) };
}

/** Wildcards without a regular expression: a pattern of a policy can then never take exponential time. */
function fitsPieces(name: string, pieces: readonly string[]): boolean {
  const first = pieces[0]!;
  const last = pieces.at(-1)!;
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
  const end = name.length - last.length;
  let from = first.length;
  for (let index = 1; index < pieces.length - 1; index++) {
    const piece = pieces[index]!;
    const at = name.indexOf(piece, from);
    if (at === -1 || at + piece.length > end) return false;
    from = at + piece.length;
  }
  return true;
}

/** A compiled list of model patterns. Names match in full and by their base, whatever their case. */
export class ModelPatterns {
  readonly #exact = new Map<string, string>();
  readonly #wild: readonly Pattern[];
  readonly #skeletons: readonly Pattern[];
  readonly size: number;

  constructor(readonly texts: readonly string[]) {
    this.size = texts.length;
    const wild: Pattern[] = [];
    for (const text of texts) {
      const folded = foldModelName(text);
      if (folded.includes('*')) wild.push(compileOne(text, folded));
      else if (!this.#exact.has(folded)) this.#exact.set(folded, text);
    }
    this.#wild = wild;
    this.#skeletons = texts.map((text) => compileOne(text, skeletonOf(text)));
  }

  /** The first pattern that a name fits, as written, or null. */
  match(name: string): string | null {
    if (this.size === 0) return null;
    const folded = foldModelName(name);
    const base = baseModelName(folded);
    return this.#matchFolded(folded) ?? (base === folded ? null : this.#matchFolded(base));
  }

  /** As `match`, and also by what is left of the name without its suffix, and by its look-alikes. For names that no catalogue knows. */
  matchLoosely(name: string): string | null {
    const found = this.match(name) ?? this.match(withoutModelSuffix(foldModelName(name)));
    if (found !== null) return found;
    for (const form of looseForms(name)) {
      const skeleton = skeletonOf(form);
      for (const pattern of this.#skeletons) if (pattern.fits(skeleton)) return pattern.text;
    }
    return null;
  }

  #matchFolded(folded: string): string | null {
    const exact = this.#exact.get(folded);
    if (exact !== undefined) return exact;
    for (const pattern of this.#wild) if (pattern.fits(folded)) return pattern.text;
    return null;
  }
}

/** Every part of a path may be what a server takes for the name. */
function looseForms(name: string): readonly string[] {
  const folded = name.normalize('NFKC').toLowerCase();
  const parts = [folded, ...folded.split('/').filter((part) => part !== '')];
  return parts.flatMap((part) => [part, withoutModelSuffix(part)]);
}
