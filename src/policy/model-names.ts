/**
 * Names of models as people and attackers write them. A rule must not be passed by a spelling,
 * so what is compared is folded, and what no model is ever called is not compared at all.
 */
const PLAIN_NAME = /^[a-z0-9._:/@+~-]+$/;

/** The name in the form that rules compare: lower case. */
export function foldModelName(name: string): string {
  return name.toLowerCase();
}

/** True when a folded name is written in the characters that models are called by: no blanks, no look-alikes, nothing invisible. */
export function isPlainModelName(folded: string): boolean {
  return PLAIN_NAME.test(folded);
}

/** `o1-pro` of `openai/o1-pro`: what follows the last slash. */
export function baseModelName(folded: string): string {
  return folded.slice(folded.lastIndexOf('/') + 1);
}

/**
 * A plain form in which look-alikes of a name fall together: NFKC, lower case, no accents, only letters and digits,
 * `o` as `0`, `l` and `i` as `1`. Two different models may share it, so it only ever serves to refuse names that no catalogue knows.
 */
export function skeletonOf(name: string): string {
  const folded = name.normalize('NFKD').toLowerCase();
  return folded
    .replace(/[^a-z0-9*]/g, '')
    .replaceAll('o', '0')
    .replace(/[li]/g, '1');
}

/** `gpt-4.1` of `gpt-4.1:free`, `gpt-4.1@2025-04-14`, `gpt-4.1-2025-04-14`, `gpt-4.1-20250414`, `gpt-4.1-latest`; else the same name. */
export function withoutModelSuffix(folded: string): string {
  return folded.replace(/[:@][^/]*$/, '').replace(/-(?:\d{4}-\d{2}-\d{2}|\d{8}|latest)$/, '');
}
