import { Glob } from 'bun';
import { readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';

const ROOT = join(import.meta.dir, '..', '..');

/** A file of the project as the tidy test reads it. */
export interface Source {
  /** From the top of the project: `src/policy/decide.ts`. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  /** The text without comments and without the contents of strings: words in here are code. */
  readonly code: string;
  /** What it imports, types included: paths from the top for our own, names for packages. */
  readonly imports: readonly string[];
}

/** The TypeScript files that match a pattern, in a stable order. */
export function sources(pattern: string): Source[] {
  return [...new Glob(pattern).scanSync({ cwd: ROOT })].sort((one, other) => one.localeCompare(other)).map(readSource);
}

/** A file of the project as text. */
export function projectFile(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

function readSource(path: string): Source {
  const text = projectFile(path);
  return { path, text, lines: text.split('\n').length - 1, code: codeOf(text), imports: importsOf(path, text) };
}

/** Strings first, so that a `//` inside of one is no comment; templates keep what is in `${}`. */
const NO_CODE = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;

function codeOf(text: string): string {
  return text.replace(NO_CODE, (match) => (match.startsWith('/') ? '' : "''"));
}

const IMPORTS = /(?:\bfrom\s*|\bimport\s*\(?\s*|\bnew URL\(\s*)'([^']+)'/g;

function importsOf(path: string, text: string): string[] {
  const withoutComments = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return [...withoutComments.matchAll(IMPORTS)].map(([, target]) =>
    target!.startsWith('.') ? normalize(join(path, '..', target!)) : target!,
  );
}
