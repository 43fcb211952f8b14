import type { Connection } from '../domain/project.ts';
import { PROVIDERS } from './providers.ts';

/** Who serves a model, and the name that this provider knows it by. */
export interface RoutedModel<C extends Connection = Connection> {
  readonly connection: C;
  /** The client's spelling without the name of the connection; the operator's spelling where a list names the model. */
  readonly model: string;
}

/**
 * The connection that serves `model`, or null. In this order, the lowest id first within each step:
 * a list that names the model exactly; `NAME/model` or `KIND/model`, where that connection takes the model;
 * a pattern; a pattern that takes all. Letter case does not count. So with an `openai` connection `openai/gpt-4.1` is its
 * `gpt-4.1`, and without one it is OpenRouter's model of that name.
 */
export function chooseConnection<C extends Connection>(connections: readonly C[], model: string): RoutedModel<C> | null {
  if (model === '') return null;
  const ordered = inOrder(connections);
  return byList(ordered, model) ?? byPrefix(ordered, model) ?? byPattern(ordered, model, false) ?? byPattern(ordered, model, true);
}

function inOrder<C extends Connection>(connections: readonly C[]): readonly C[] {
  return connections.every((one, index) => index === 0 || connections[index - 1]!.id < one.id)
    ? connections
    : connections.toSorted((a, b) => a.id - b.id);
}

function byList<C extends Connection>(connections: readonly C[], model: string): RoutedModel<C> | null {
  for (const connection of connections) {
    const listed = listedName(connection, model);
    if (listed !== null) return { connection, model: listed };
  }
  return null;
}

function byPrefix<C extends Connection>(connections: readonly C[], model: string): RoutedModel<C> | null {
  const slash = model.indexOf('/');
  if (slash < 1 || slash === model.length - 1) return null;
  const prefix = model.slice(0, slash).toLowerCase();
  const rest = model.slice(slash + 1);
  for (const connection of connections) {
    if (connection.name.toLowerCase() === prefix) {
      const found = taken(connection, model, rest);
      if (found !== null) return { connection, model: found };
    }
  }
  for (const connection of connections) {
    if (connection.kind === prefix) {
      const found = taken(connection, model, rest);
      if (found !== null) return { connection, model: found };
    }
  }
  return null;
}

/** The name under which a connection that was named explicitly takes the model, or null. */
function taken(connection: Connection, whole: string, rest: string): string | null {
  const name = PROVIDERS[connection.kind].slashedNames && !rest.includes('/') ? whole : rest;
  const listed = listedName(connection, name);
  if (listed !== null) return listed;
  return connection.models.some((pattern) => matchesPattern(pattern, name)) ? name : null;
}

function byPattern<C extends Connection>(connections: readonly C[], model: string, catchAll: boolean): RoutedModel<C> | null {
  for (const connection of connections) {
    if (connection.models.some((pattern) => (pattern === '*') === catchAll && matchesPattern(pattern, model))) return { connection, model };
  }
  return null;
}

function listedName(connection: Connection, model: string): string | null {
  const folded = model.toLowerCase();
  return connection.models.find((name) => name.length === model.length && !name.includes('*') && name.toLowerCase() === folded) ?? null;
}

/** Whether `name` fits `pattern`, where each `*` stands for any characters, none included. Letter case does not count. Linear in the name for each `*`. */
export function matchesPattern(pattern: string, name: string): boolean {
  const parts = pattern.toLowerCase().split('*');
  const folded = name.toLowerCase();
  if (parts.length === 1) return parts[0] === folded;
  const first = parts[0]!;
  const last = parts.at(-1)!;
  if (folded.length < first.length + last.length || !folded.startsWith(first) || !folded.endsWith(last)) return false;
  let from = first.length;
  const end = folded.length - last.length;
  for (let index = 1; index < parts.length - 1; index++) {
    const at = folded.indexOf(parts[index]!, from);
    if (at < 0 || at + parts[index]!.length > end) return false;
    from = at + parts[index]!.length;
  }
  return true;
}
