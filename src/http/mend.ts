/** A JSON value of the document. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type JsonObject = { [name: string]: Json };

/** The named schemas that were met while mending, by name. */
export type Components = Record<string, Json>;

const REFERENCE = '#/components/schemas/';

/**
 * Turns what the schema library writes into what OpenAPI 3.1 reads: a schema with `$id` moves to `components`
 * and leaves a `$ref`, bare references get their path, unions of constants become `enum`,
 * unions with null become a list of types.
 */
export function mendSchema(value: Json, components: Components): Json {
  if (Array.isArray(value)) return value.map((item) => mendSchema(item, components));
  if (value === null || typeof value !== 'object') return value;
  const id = value['$id'];
  if (typeof id === 'string') return reference(id, value, components);
  const target = value['$ref'];
  if (typeof target === 'string' && !target.startsWith('#')) return { $ref: REFERENCE + target };
  const mended = Object.fromEntries(Object.entries(value).map(([name, member]) => [name, mendSchema(member, components)]));
  return simplifyUnion(mended);
}

function reference(id: string, schema: JsonObject, components: Components): Json {
  if (!(id in components)) {
    // Set before it is filled: a schema that holds itself would not end.
    components[id] = null;
    const { $id: _id, ...rest } = schema;
    components[id] = mendSchema(rest, components);
  }
  return { $ref: REFERENCE + id };
}

function simplifyUnion(schema: JsonObject): Json {
  const { anyOf, ...rest } = schema;
  if (!Array.isArray(anyOf)) return schema;
  if (anyOf.every(isConstantText)) return { ...rest, type: 'string', enum: anyOf.map((item) => (item as JsonObject)['const']!) };
  const others = anyOf.filter((item) => !isNull(item));
  const only = others[0] as JsonObject;
  if (others.length !== 1 || anyOf.length !== 2 || typeof only['type'] !== 'string' || 'enum' in only) return schema;
  return { ...only, ...rest, type: [only['type'], 'null'] };
}

function isConstantText(schema: Json): boolean {
  return typeof (schema as JsonObject)['const'] === 'string';
}

function isNull(schema: Json): boolean {
  return (schema as JsonObject)['type'] === 'null';
}

/** What an OpenAPI response may hold. The swagger plugin copies the schema's own members beside them. */
const RESPONSE_MEMBERS = ['description', 'headers', 'content', 'links'];

/** Mends one operation: only JSON requests, only what a response may hold, a description for each. */
export function mendOperation(operation: JsonObject, statusTexts: Readonly<Record<string, string | undefined>>): void {
  const body = operation['requestBody'] as JsonObject | undefined;
  const content = body?.['content'] as JsonObject | undefined;
  if (body && content?.['application/json']) body['content'] = { 'application/json': content['application/json'] };
  const responses = (operation['responses'] ?? {}) as Record<string, JsonObject>;
  if (Object.keys(responses).length === 0) responses['200'] = {};
  for (const [status, response] of Object.entries(responses)) {
    for (const member of Object.keys(response)) if (!RESPONSE_MEMBERS.includes(member)) delete response[member];
    response['description'] ??= statusTexts[status] ?? 'Done';
  }
  operation['responses'] = responses;
  if (Array.isArray(operation['parameters']) && operation['parameters'].length === 0) delete operation['parameters'];
}
