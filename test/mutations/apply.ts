import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mutation } from './mutation.ts';

/** How often the text to be changed occurs in its file below `root`; 1 is right. */
export function occurrences(root: string, { file, find }: Mutation): number {
  return readFileSync(join(root, file), 'utf8').split(find).length - 1;
}

/** Puts the defect into the file below `root`; returns how to take it out again. Throws when the text is not there exactly once. */
export function apply(root: string, mutation: Mutation): () => void {
  if (occurrences(root, mutation) !== 1) throw new Error(`${mutation.file} does not hold the text of "${mutation.name}" exactly once`);
  const path = join(root, mutation.file);
  const text = readFileSync(path, 'utf8');
  const at = text.indexOf(mutation.find);
  writeFileSync(path, text.slice(0, at) + mutation.replace + text.slice(at + mutation.find.length));
  return () => writeFileSync(path, text);
}
