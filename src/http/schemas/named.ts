import { Type, type ObjectOptions, type SchemaOptions, type TProperties, type TSchema } from '@sinclair/typebox';

/** An object that may hold members we do not know: providers add fields faster than we can name them. */
export function open<Properties extends TProperties>(properties: Properties, options: ObjectOptions = {}) {
  return Type.Object(properties, { additionalProperties: true, ...options });
}

/** An object whose unknown members are errors: what operators send us. */
export function closed<Properties extends TProperties>(properties: Properties, options: ObjectOptions = {}) {
  return Type.Object(properties, { additionalProperties: false, ...options });
}

/**
 * Gives a schema its name in `components.schemas` of the served document.
 * It stays whole where it is used, so that it can be compiled alone; the document puts a `$ref` in its place.
 */
export function named<Schema extends TSchema>(name: string, schema: Schema): Schema {
  return { ...schema, $id: name, title: name };
}

/** A value or null. */
export function nullable<Schema extends TSchema>(schema: Schema, options: SchemaOptions = {}) {
  return Type.Union([schema, Type.Null()], options);
}

/** A string of which the usual values are known. Others pass: the provider judges them. */
export function oneOfUsually(values: readonly string[], options: SchemaOptions = {}) {
  return Type.String({ ...options, enum: values });
}

/** One of a closed list of strings. */
export function oneOf<const Values extends readonly string[]>(values: Values, options: SchemaOptions = {}) {
  return Type.Union(
    values.map((value) => Type.Literal(value as Values[number])),
    options,
  );
}

/** A page of a list: rows and where the next page begins. */
export function listOf<Schema extends TSchema>(name: string, item: Schema) {
  return named(
    name,
    Type.Object({
      data: Type.Array(item),
      next_cursor: nullable(Type.String(), { description: 'Send it as `cursor` for the next page. Null on the last page.' }),
    }),
  );
}
