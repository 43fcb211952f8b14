import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { hashSecret, isWellFormed, shownPrefix } from '../domain/key.ts';
import { CliProblem } from './problem.ts';

/** What looks like a key or a token of ours, somewhere in a file. The secret itself is not kept. */
export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly kind: 'key' | 'operator';
  readonly environment: 'live' | 'test';
  readonly prefix: string;
  /** False for what only looks like one: an example, or a key with a typing error. */
  readonly checksumRight: boolean;
  readonly sha256: string;
}

/** A file that is to be looked through. */
export interface ScanSource {
  readonly name: string;
  readonly bytes: () => ReadableStream<Uint8Array>;
}

/** All that follow a prefix of ours without a break; a secret has 36 of them. */
const CANDIDATE = /p([ko])_(live|test)_([0-9A-Za-z]{36,})/g;
const SECRET_CHARACTERS = 44;
/** Longer runs are something else. What is kept from one piece to the next holds the beginning of any secret. */
const KEPT_CHARACTERS = 128;

/** Looks through a stream of any size and any bytes, piece by piece. Zero bytes are skipped, so that UTF-16 is read too. */
export async function* scan({ name, bytes }: ScanSource): AsyncGenerator<Finding> {
  const decoder = new TextDecoder('latin1');
  let kept = '';
  let line = 1;
  for await (const chunk of bytes()) {
    const text = kept + decoder.decode(chunk, { stream: true }).replaceAll('\0', '');
    const end = Math.max(0, text.length - KEPT_CHARACTERS);
    const { findings, doneAt } = lookThrough(name, text, line, end);
    yield* findings;
    line += newlines(text, 0, doneAt);
    kept = text.slice(doneAt);
  }
  yield* lookThrough(name, kept, line, kept.length).findings;
}

/** What begins before `end`; the rest is looked at again with what follows. */
function lookThrough(file: string, text: string, firstLine: number, end: number): { findings: Finding[]; doneAt: number } {
  const findings: Finding[] = [];
  let doneAt = end;
  let [line, counted] = [firstLine, 0];
  for (const { 0: run, 1: letter, 2: environment, index } of text.matchAll(CANDIDATE)) {
    if (index >= end) break;
    doneAt = Math.max(end, index + SECRET_CHARACTERS);
    const secret = run.slice(0, SECRET_CHARACTERS);
    const checksumRight = isWellFormed(secret);
    // Others use these prefixes too, with more characters behind.
    if (!checksumRight && run.length > SECRET_CHARACTERS) continue;
    line += newlines(text, counted, index);
    counted = index;
    const kind = letter === 'k' ? 'key' : 'operator';
    const prefix = shownPrefix(secret);
    findings.push({ file, line, kind, environment: environment as 'live' | 'test', prefix, checksumRight, sha256: hashSecret(secret) });
  }
  return { findings, doneAt: Math.min(doneAt, text.length) };
}

function newlines(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', from); at !== -1 && at < to; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

/** The files that the arguments name: `-` is the standard input, a directory all that is in it but `.git`. Throws `CliProblem`. */
export async function* sourcesOf(args: readonly string[], stdin: () => ReadableStream<Uint8Array>): AsyncGenerator<ScanSource> {
  for (const arg of args) {
    if (arg === '-') yield { name: '-', bytes: stdin };
    else if (await isDirectory(arg)) yield* filesIn(arg);
    else yield fileSource(arg);
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch (error) {
    throw new CliProblem(`cannot read ${path}`, 2, { cause: error });
  }
}

async function* filesIn(directory: string): AsyncGenerator<ScanSource> {
  const files = new Bun.Glob('**/*').scan({ cwd: directory, dot: true, onlyFiles: true, followSymlinks: false });
  for await (const file of files) if (!/(?:^|[\\/])\.git[\\/]/.test(file)) yield fileSource(join(directory, file));
}

function fileSource(path: string): ScanSource {
  return { name: path, bytes: () => Bun.file(path).stream() };
}
