import type { TSchema } from '@sinclair/typebox';
import { Value, ValueErrorType, type ValueError } from '@sinclair/typebox/value';
import { SERVER_TABLES } from '../../config.ts';
import { Refusal } from '../../domain/errors.ts';
import { didYouMean } from '../../domain/nearest.ts';
import { withNulls } from '../../policy/no-limit.ts';
import { ConfigurationSchema, STORED, type ConfigurationFile } from './document.ts';

/** A secret in the place of `stored`: it is not repeated in the complaint. */
const SECRET_FIELDS: Readonly<Record<string, string>> = {
  api_key: `Keys do not belong into the file. Name a variable of the server's environment with api_key_env, or write "${STORED}" to leave the stored key as it is.`,
  url: `A webhook URL is a secret and does not belong into the file. Name a variable of the server's environment with url_env, or write "${STORED}" to leave the stored one as it is.`,
  secret: `Secrets do not belong into the file. Name a variable of the server's environment with secret_env, or write "${STORED}" to leave the stored one as it is.`,
};

const UNEXPECTED = 'Unexpected property';

/** The form of a file, before anything of it is compared with what there is. Throws a Refusal with the path of the wrong field. */
export function readConfiguration(json: unknown): ConfigurationFile {
  const value = withNulls(ConfigurationSchema, json);
  const problems = [...Value.Errors(ConfigurationSchema, value)];
  // A slip in a name also makes the right one missing: the slip is what to tell.
  const problem = problems.find(({ message }) => message === UNEXPECTED) ?? problems[0];
  if (problem !== undefined) throw refusalOf(problem);
  return value as ConfigurationFile;
}

/** What is wrong at a path of the file. */
export function wrong(path: string, message: string): Refusal {
  return new Refusal('invalid_value', `${path}: ${message}`, { param: path });
}

function refusalOf(problem: ValueError): Refusal {
  const path = problem.path.slice(1).replaceAll('/', '.');
  const field = path.slice(path.lastIndexOf('.') + 1);
  if (problem.message === UNEXPECTED) return new Refusal('unknown_field', `${path}: ${unknownField(path, field)}`, { param: path });
  if (problem.message === 'Expected required property')
    return new Refusal('missing_field', `${path}: This field is missing.`, { param: path });
  return wrong(
    path === '' ? 'the file' : path,
    Object.hasOwn(SECRET_FIELDS, field) ? SECRET_FIELDS[field]! : `Expected ${inWords(problem)}.`,
  );
}

function unknownField(path: string, field: string): string {
  if (SERVER_TABLES.includes(path)) return 'This is read by panicly serve --config and not applied. Leave it out of the request.';
  return `This field is not known.${didYouMean(field, namesAt(path))}`;
}

/** The names that may stand beside the one at this path. */
function namesAt(path: string): string[] {
  const parts = path.split('.').slice(0, -1);
  let at: TSchema = ConfigurationSchema;
  for (const part of parts) {
    const { properties, items } = at as { properties?: Readonly<Record<string, TSchema>>; items?: TSchema };
    at = properties !== undefined && Object.hasOwn(properties, part) ? properties[part]! : (items ?? at);
  }
  const names = Object.keys((at as { properties?: object }).properties ?? {});
  return parts.length === 0 ? [...names, ...SERVER_TABLES] : names;
}

function inWords({ type, schema, message }: ValueError): string {
  if (type !== ValueErrorType.Union) return message.replace(/^Expected /, '').toLowerCase();
  return (schema['anyOf'] as TSchema[])
    .map((one) => (one['const'] === undefined ? `a value of type ${one['type']}` : JSON.stringify(one['const'])))
    .join(', ');
}
