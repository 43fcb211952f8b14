import { asList, asObject, asText, type JsonObject } from './json.ts';

const MAX_DEPTH = 12;

const FORMATS: Readonly<Record<string, string>> = {
  'date-time': '2026-01-01T00:00:00Z',
  date: '2026-01-01',
  time: '00:00:00Z',
  duration: 'PT1S',
  email: 'person@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  uuid: '00000000-0000-4000-8000-000000000000',
};

/** A small value that fits a JSON schema: required members only, the first of several choices. `pattern` is not obeyed. */
export function exampleOf(schema: unknown): unknown {
  return build(schema, schema, 0);
}

function build(schema: unknown, root: unknown, depth: number): unknown {
  const node = resolve(asObject(schema), asObject(root));
  if (depth > MAX_DEPTH) return null;
  if ('const' in node) return node['const'];
  if ('default' in node) return node['default'];
  if (asList(node['enum']).length > 0) return asList(node['enum'])[0];
  const choice = asList(node['anyOf'])[0] ?? asList(node['oneOf'])[0];
  if (choice !== undefined) return build(choice, root, depth + 1);
  if (Array.isArray(node['allOf'])) return build(merged(node), root, depth + 1);
  return ofType(node, root, depth);
}

function ofType(node: JsonObject, root: unknown, depth: number): unknown {
  switch (typeOf(node)) {
    case 'object':
      return objectFor(node, root, depth);
    case 'array':
      return Array.from({ length: Math.min(numberOf(node['minItems']) ?? 0, 100) }, () => build(node['items'], root, depth + 1));
    case 'integer':
      return Math.ceil(numberFor(node));
    case 'number':
      return numberFor(node);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return textFor(node);
  }
}

function typeOf(node: JsonObject): string {
  const type = Array.isArray(node['type']) ? node['type'][0] : node['type'];
  if (typeof type === 'string') return type;
  if ('properties' in node) return 'object';
  return 'items' in node ? 'array' : 'string';
}

function objectFor(node: JsonObject, root: unknown, depth: number): JsonObject {
  const properties = asObject(node['properties']);
  const members = asList(node['required']).map((name): [string, unknown] => [
    asText(name),
    build(properties[asText(name)], root, depth + 1),
  ]);
  return Object.fromEntries(members);
}

function numberFor(node: JsonObject): number {
  const step = numberOf(node['multipleOf']) ?? 1;
  const above = numberOf(node['exclusiveMinimum']);
  const least = above === null ? numberOf(node['minimum']) : above + step;
  const most = numberOf(node['maximum']);
  const wanted = least ?? (most !== null && most < 1 ? most : 1);
  return Math.ceil(wanted / step) * step;
}

function textFor(node: JsonObject): string {
  const format = FORMATS[asText(node['format'])];
  if (format !== undefined) return format;
  const most = numberOf(node['maxLength']) ?? Infinity;
  return 'example'.padEnd(Math.min(numberOf(node['minLength']) ?? 0, 10_000), ' example').slice(0, most);
}

function merged(node: JsonObject): JsonObject {
  const all = [node, ...asList(node['allOf']).map(asObject)];
  const properties = all.flatMap((part) => Object.entries(asObject(part['properties'])));
  const { allOf: _, ...rest } = Object.fromEntries(all.flatMap((part) => Object.entries(part)));
  return { ...rest, properties: Object.fromEntries(properties), required: all.flatMap((part) => asList(part['required'])) };
}

function resolve(node: JsonObject, root: JsonObject): JsonObject {
  const reference = asText(node['$ref']);
  if (!reference.startsWith('#/')) return node;
  let found: unknown = root;
  for (const part of reference.slice(2).split('/')) found = asObject(found)[part.replaceAll('~1', '/').replaceAll('~0', '~')];
  return asObject(found);
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
