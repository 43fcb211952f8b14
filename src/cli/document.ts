import { parseDocument, type WrittenDocument } from '../document-text.ts';
import type { Io } from './output.ts';
import { CliProblem } from './problem.ts';

/** A document that was read, the text it was, and how to name where it came from. */
export interface ReadDocument {
  readonly value: object;
  readonly isJson: boolean;
  readonly text: string;
  readonly name: string;
}

/** Reads a JSON or TOML document from a file, or from the standard input for `-`. Throws `CliProblem`, with the line where it is known. */
export async function readDocument(io: Io, file: string): Promise<ReadDocument> {
  const text = await readText(io, file);
  const name = file === '-' ? 'standard input' : file;
  const { value, isJson } = parsed(text, name);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new CliProblem(`${name} does not hold an object`);
  return { value, isJson, text, name };
}

function parsed(text: string, name: string): WrittenDocument {
  try {
    return parseDocument(text, name);
  } catch (error) {
    throw new CliProblem((error as Error).message, 2, { cause: error });
  }
}

/** The text of a file, or of the standard input for `-`. Throws `CliProblem` when it cannot be read. */
export async function readText(io: Io, file: string): Promise<string> {
  return file === '-' ? await io.stdin() : await textOf(file);
}

async function textOf(file: string): Promise<string> {
  try {
    return await Bun.file(file).text();
  } catch (error) {
    throw new CliProblem(`cannot read ${file}`, 2, { cause: error });
  }
}
