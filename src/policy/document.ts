import type { TSchema } from '@sinclair/typebox';
import { Value, type ValueError } from '@sinclair/typebox/value';
import { didYouMean } from '../domain/nearest.ts';
import { checkPolicyMeaning, checkWorkspaceMeaning } from './meaning.ts';
import { withNulls } from './no-limit.ts';
import { PolicySchema, WorkspacePolicySchema, type PolicyDocument, type WorkspacePolicyDocument } from './schema.ts';

export { compilePolicy } from './compile.ts';
export type { CompiledPolicy, Mode } from './compiled.ts';
export { PolicySchema, WorkspacePolicySchema } from './schema.ts';
export type { BudgetDocument, PolicyDocument, WorkspacePolicyDocument } from './schema.ts';

/** Why a document is refused: where it is wrong (`budgets.0.limit_usd`, empty for the whole document) and what would be right. */
export class PolicyProblem {
  constructor(
    readonly path: string,
    readonly message: string,
  ) {}
}

/** The policy that a new project is born with. */
export function defaultPolicy(): PolicyDocument {
  return Value.Default(PolicySchema, {}) as PolicyDocument;
}

/** The policy that a new workspace is born with: no networks, no budgets. */
export function defaultWorkspacePolicy(): WorkspacePolicyDocument {
  return Value.Default(WorkspacePolicySchema, {}) as WorkspacePolicyDocument;
}

/** Reads a project's policy. What is left out takes its default; what is unknown or out of range is refused with its path. */
export function parsePolicy(json: unknown): PolicyDocument | PolicyProblem {
  const document = fill(PolicySchema, json);
  if (document instanceof PolicyProblem) return document;
  const problem = checkPolicyMeaning(document as PolicyDocument);
  return problem === null ? (document as PolicyDocument) : new PolicyProblem(problem.path, problem.message);
}

/** Reads a workspace's policy, as `parsePolicy`. */
export function parseWorkspacePolicy(json: unknown): WorkspacePolicyDocument | PolicyProblem {
  const document = fill(WorkspacePolicySchema, json);
  if (document instanceof PolicyProblem) return document;
  const problem = checkWorkspaceMeaning(document as WorkspacePolicyDocument);
  return problem === null ? (document as WorkspacePolicyDocument) : new PolicyProblem(problem.path, problem.message);
}

const UNKNOWN_FIELD = 'This field is not known. Remove it or correct its name.';

function fill(schema: TSchema, json: unknown): unknown {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return new PolicyProblem('', 'A policy is a JSON object.');
  const forbidden = prototypePath(json);
  if (forbidden !== null) return new PolicyProblem(forbidden, UNKNOWN_FIELD);
  const document = Value.Default(schema, structuredClone(withNulls(schema, json)));
  const first = Value.Errors(schema, document).First();
  return first === undefined ? document : new PolicyProblem(dotted(first.path), sentenceOf(first, knownNames(schema, first.path)));
}

/** Where a member is called `__proto__`, or null: copying such a document would lose it in silence. */
function prototypePath(json: object): string | null {
  for (const [name, value] of Object.entries(json)) {
    if (name === '__proto__') return name;
    const inner: unknown = value;
    const path = typeof inner === 'object' && inner !== null ? prototypePath(inner) : null;
    if (path !== null) return `${name}.${path}`;
  }
  return null;
}

function dotted(pointer: string): string {
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .join('.');
}

/** The names that may stand where an unknown one stands. */
function knownNames(schema: TSchema, pointer: string): string[] {
  let at: TSchema | undefined = schema;
  for (const part of pointer.slice(1).split('/').slice(0, -1)) {
    const { properties, items } = (at ?? {}) as { properties?: Readonly<Record<string, TSchema>>; items?: TSchema };
    at = properties !== undefined && Object.hasOwn(properties, part) ? properties[part] : items;
  }
  return Object.keys((at as { properties?: object } | undefined)?.properties ?? {});
}

function sentenceOf(error: ValueError, known: readonly string[]): string {
  const written = error.path.slice(error.path.lastIndexOf('/') + 1);
  if (error.message === 'Unexpected property') return `${UNKNOWN_FIELD}${didYouMean(written, known)}`;
  if (error.message === 'Expected required property') return 'This field is required.';
  return `Expected ${describe(error.schema)}.`;
}

/** A schema in words, for the person who wrote the document. */
function describe(schema: TSchema): string {
  if (Array.isArray(schema.anyOf)) return (schema.anyOf as TSchema[]).map(describe).join(' or ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === 'integer') return `a whole number from ${schema.minimum} to ${schema.maximum}`;
  if (schema.type === 'number') return `a number above ${schema.exclusiveMinimum}, at most ${schema.maximum}`;
  if (schema.type === 'string' && String(schema.pattern).startsWith('^\\d'))
    return 'an amount in USD as a string, 0 or more, such as "10.00"';
  if (schema.type === 'string') return `a text of 1 to ${schema.maxLength ?? 100} characters`;
  if (schema.type === 'array') return `a list of at most ${schema.maxItems} entries`;
  return schema.type === 'null' ? 'null (no limit)' : `a value of type ${schema.type}`;
}
