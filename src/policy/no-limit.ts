import type { TObject, TSchema } from '@sinclair/typebox';

/** How a file says null: TOML has no word for it. */
export const NO_LIMIT = 'unlimited';

/** The document with null wherever the schema takes null and the word for it stands. Everything else is as it was. */
export function withNulls(schema: TSchema, value: unknown): unknown {
  if (Array.isArray(value)) return schema['type'] === 'array' ? value.map((item) => withNulls(schema['items'] as TSchema, item)) : value;
  if (value === NO_LIMIT) return takesNull(schema) ? null : value;
  if (typeof value !== 'object' || value === null || schema['type'] !== 'object') return value;
  const { properties = {} } = schema as Partial<TObject>;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      const own = Object.hasOwn(properties, name) ? properties[name] : undefined;
      return [name, own === undefined ? member : withNulls(own, member)];
    }),
  );
}

function takesNull(schema: TSchema): boolean {
  const members = schema['anyOf'] as readonly TSchema[] | undefined;
  return members !== undefined && members.some(({ type }) => type === 'null');
}
