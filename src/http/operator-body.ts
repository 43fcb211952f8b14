import { Type, type Static, type TSchema } from '@sinclair/typebox';
import { Value, ValueErrorType } from '@sinclair/typebox/value';
import { Refusal } from '../domain/errors.ts';
import { parseBody } from '../wire/json.ts';
import { refusalOfProblem } from './errors.ts';

/** The largest body of the operator API where its route says nothing else. */
const MAX_BYTES = 1024 * 1024;
const NOTHING = Type.Object({}, { additionalProperties: false });

/**
 * Reads a body of the operator API: strict JSON, at most `maxBytes` (1 MB), no unknown field. Throws a Refusal that names the field.
 * An empty body is an empty object where `isOptional` says so.
 */
export async function bodyOf<Schema extends TSchema>(
  request: Request,
  schema: Schema,
  isOptional = false,
  maxBytes = MAX_BYTES,
): Promise<Static<Schema>> {
  const bytes = await bytesOf(request, maxBytes);
  return checked(schema, isOptional && bytes.byteLength === 0 ? {} : parsed(bytes));
}

/** For routes that take no body: an empty one, or an object that says nothing. Throws a Refusal that names the field. */
export async function noBodyOf(request: Request): Promise<Readonly<Record<string, never>>> {
  const bytes = await bytesOf(request, MAX_BYTES);
  if (bytes.byteLength > 0) checked(NOTHING, parsed(bytes));
  return {};
}

async function bytesOf(request: Request, maxBytes: number): Promise<Uint8Array> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const bytes = await request.bytes();
  if (bytes.byteLength > maxBytes) throw tooLarge(maxBytes);
  return bytes;
}

function parsed(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  const body = parseBody(bytes);
  if (body instanceof Refusal) throw body;
  return body.value;
}

/** Checks parameters of the address. Throws a Refusal that names the wrong one. */
export function queryOf<Schema extends TSchema>(request: Request, schema: Schema): Static<Schema> {
  const parameters = new URL(request.url).searchParams;
  const query = Object.fromEntries(parameters);
  for (const name of parameters.keys())
    if (parameters.getAll(name).length > 1) throw new Refusal('invalid_value', `The parameter ${name} stands twice.`, { param: name });
  return checked(schema, query);
}

function checked<Schema extends TSchema>(schema: Schema, value: unknown): Static<Schema> {
  const problem = Value.Errors(schema, value).First();
  if (problem) throw refusalOfProblem(problem.type === ValueErrorType.Union ? { ...problem, message: expected(problem.schema) } : problem);
  return value;
}

/** What a union takes, in words: the library only says that none of it fitted. */
function expected(schema: TSchema): string {
  return `Expected ${(schema['anyOf'] as TSchema[]).map(inWords).join(' or ')}`;
}

function inWords(schema: TSchema): string {
  if (schema['const'] !== undefined) return JSON.stringify(schema['const']);
  if (schema['type'] === 'null') return 'null';
  if (schema['type'] === 'integer')
    return schema['minimum'] === undefined ? 'a whole number' : `a whole number of ${schema['minimum']} or more`;
  return `a ${schema['type']}`;
}

function tooLarge(maxBytes: number): Refusal {
  return new Refusal('request_too_large', `A body of this route holds at most ${maxBytes} bytes.`);
}
