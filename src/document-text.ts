import { parseTOML, type AST } from 'toml-eslint-parser';

/** A document that somebody wrote by hand. */
export interface WrittenDocument {
  readonly value: unknown;
  readonly isJson: boolean;
}

/** Reads JSON or TOML. Throws `SyntaxError` that begins with the name, and with the line where it is known. */
export function parseDocument(text: string, name: string): WrittenDocument {
  try {
    return { value: JSON.parse(text) as unknown, isJson: true };
  } catch (error) {
    if (/^\s*\{/.test(text)) throw new SyntaxError(`${name}: ${(error as Error).message}`, { cause: error });
  }
  const parsed = parsedOf(text);
  if ('problem' in parsed) throw new SyntaxError(`${name}:${parsed.problem.line}: ${parsed.problem.message}`);
  try {
    return { value: Bun.TOML.parse(text), isJson: false };
  } catch (error) {
    throw new SyntaxError(`${name}: ${(error as Error).message}`, { cause: error });
  }
}

/** The line, from 1, of the field at `path` (`projects.0.policy.burst`), of the first that it holds, or of the nearest around it. Null when it is nowhere. */
export function lineOfPath(text: string, path: string): number | null {
  const parsed = parsedOf(text);
  if ('problem' in parsed) return null;
  const places = placesOf(parsed.ast);
  // A list of tables has no line of its own: its first table stands for it.
  const inside = places.find((place) => place.path === path || place.path.startsWith(`${path}.`));
  const around = places.filter((place) => path.startsWith(`${place.path}.`)).toSorted((one, other) => other.path.length - one.path.length);
  return (inside ?? around[0])?.line ?? null;
}

interface Place {
  readonly path: string;
  readonly line: number;
}

function parsedOf(
  text: string,
): { readonly ast: AST.TOMLProgram } | { readonly problem: { readonly line: number; readonly message: string } } {
  try {
    return { ast: parseTOML(text, { tomlVersion: '1.1' }) };
  } catch (error) {
    const { lineNumber, message } = error as { readonly lineNumber?: number; readonly message: string };
    return { problem: { line: lineNumber ?? 1, message } };
  }
}

function placesOf(ast: AST.TOMLProgram): Place[] {
  return ast.body[0].body.flatMap((node) => {
    if (node.type === 'TOMLKeyValue') return ofPair(node, []);
    const path = node.resolvedKey.map(String);
    return [{ path: path.join('.'), line: node.loc.start.line }, ...node.body.flatMap((pair) => ofPair(pair, path))];
  });
}

function ofPair(pair: AST.TOMLKeyValue, before: readonly string[]): Place[] {
  const names = pair.key.keys.map((key) => (key.type === 'TOMLBare' ? key.name : key.value));
  return ofValue(pair.value, [...before, ...names], pair.loc.start.line);
}

function ofValue(value: AST.TOMLContentNode, path: readonly string[], line: number): Place[] {
  const own = { path: path.join('.'), line };
  if (value.type === 'TOMLInlineTable') return [own, ...value.body.flatMap((pair) => ofPair(pair, path))];
  if (value.type !== 'TOMLArray') return [own];
  return [own, ...value.elements.flatMap((item, index) => ofValue(item, [...path, String(index)], item.loc.start.line))];
}
