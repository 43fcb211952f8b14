import { checkServerTables, ConfigProblem, SERVER_TABLES } from '../config.ts';
import { lineOfPath } from '../document-text.ts';
import { readDocument } from './document.ts';
import type { Io } from './output.ts';
import { CliProblem, ServerRefusal } from './problem.ts';

/** A file that was read: what of it is for the operator API, and how to say where something stands in it. */
export interface ConfigurationDocument {
  /** Without the tables that a server reads when it starts. */
  readonly applied: Readonly<Record<string, unknown>>;
  /** `panicly.toml:12: ` for a path in it, as near as it is known. */
  readonly place: (path: string | null) => string;
}

/** Reads a TOML or JSON file, or the standard input for `-`. Throws `CliProblem` with the line where it is known. */
export async function readConfigurationFile(io: Io, file: string): Promise<ConfigurationDocument> {
  const { text, name, value, isJson } = await readDocument(io, file);
  const entries = Object.entries(value);
  const place = (path: string | null) => {
    const line = isJson || path === null ? null : lineOfPath(text, path);
    return line === null ? `${name}: ` : `${name}:${line}: `;
  };
  checkServer(Object.fromEntries(entries.filter(([table]) => SERVER_TABLES.includes(table))), name);
  return { applied: Object.fromEntries(entries.filter(([table]) => !SERVER_TABLES.includes(table))), place };
}

/** What a request threw, with the place in the file that it is about. A file that is wrong is wrong use: exit code 2. */
export function placed(error: unknown, document: ConfigurationDocument): unknown {
  if (!(error instanceof ServerRefusal) || error.status !== 400) return error;
  return new CliProblem(`${document.place(error.param)}${error.message}`, 2, { cause: error });
}

function checkServer(tables: object, name: string): void {
  try {
    checkServerTables(tables, name);
  } catch (error) {
    if (error instanceof ConfigProblem) throw new CliProblem(error.message, 2, { cause: error });
    throw error;
  }
}
