import type { Io } from './output.ts';
import { CliProblem } from './problem.ts';

/** Reads a JSON or TOML document from a file, or from the standard input for `-`. Throws `CliProblem` when it is neither. */
export async function readDocument(io: Io, file: string): Promise<object> {
  const text = await readText(io, file);
  const value = file.endsWith('.toml') ? toml(text, file) : (json(text) ?? toml(text, file));
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new CliProblem(`${nameOf(file)} does not hold an object`);
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

function json(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function toml(text: string, file: string): unknown {
  try {
    return Bun.TOML.parse(text);
  } catch (error) {
    throw new CliProblem(`${nameOf(file)} is neither JSON nor TOML`, 2, { cause: error });
  }
}

function nameOf(file: string): string {
  return file === '-' ? 'the standard input' : file;
}
