import { Elysia, type AnyElysia } from 'elysia';
import { Refusal, type Reason } from '../domain/errors.ts';

/** Seconds that `retry-after` names when a retryable refusal knows nothing better. */
const DEFAULT_RETRY_SECONDS = 1;

/** Refusals in the middle of a body. Their connection is closed: it would otherwise stay open for as long as its client likes to drip. */
const LEAVES_BODY: ReadonlySet<number> = new Set([408, 413]);

/** Refusals of what somebody else may have read otherwise: nothing more is read from that connection. */
const LEAVES_CONNECTION: ReadonlySet<Reason> = new Set(['invalid_host', 'invalid_framing', 'unknown_url']);

/** What every refusal begins with: the one that no retry passes, and the one that a retry may. */
const HEADS = ['false', 'true'].map((retry) => new Headers({ 'content-type': 'application/json', 'x-should-retry': retry }));

/** The unchanging head of the body, by reason. */
const heads = new Map<Reason, string>();

function headOf(refusal: Refusal): string {
  const known = heads.get(refusal.reason);
  if (known !== undefined) return known;
  const { type, reason } = refusal;
  const head = `{"error":{"type":"${type}","reason":"${reason}","code":"${reason}","param":`;
  heads.set(reason, head);
  return head;
}

/** The body of a refusal as JSON text, in the one shape that the contract and the OpenAI SDKs read. */
export function errorBody(refusal: Refusal, decisionId: string | null): string {
  const { param } = refusal.options;
  const paramJson = param === undefined ? 'null' : JSON.stringify(param);
  const idJson = decisionId === null ? 'null' : `"${decisionId}"`;
  return `${headOf(refusal)}${paramJson},"message":${JSON.stringify(refusal.message)},"decision_id":${idJson}}}`;
}

/**
 * The answer to a refused request. `decisionId` is the recorded decision, or null when the request was not judged.
 * `leavesBody` says that the body was not read: who has no key is refused before it, so that is what a 401 says if nobody knows better.
 * `x-should-retry` is what the OpenAI SDKs obey; `retry-after` stands only where a retry can help.
 */
export function errorResponse(refusal: Refusal, decisionId: string | null, leavesBody = refusal.status === 401): Response {
  const response = new Response(errorBody(refusal, decisionId), { status: refusal.status, headers: HEADS[refusal.retryable ? 1 : 0]! });
  const { headers } = response;
  if (refusal.retryable) headers.set('retry-after', String(refusal.options.retryAfterSeconds ?? DEFAULT_RETRY_SECONDS));
  if (decisionId !== null) headers.set('x-panicly-decision-id', decisionId);
  if (refusal.status === 401) headers.set('www-authenticate', 'Bearer realm="panicly"');
  if (leavesBody || LEAVES_BODY.has(refusal.status) || LEAVES_CONNECTION.has(refusal.reason)) headers.set('connection', 'close');
  return response;
}

/** No route of ours. The path is the caller's own; it is cut, and quoted as JSON by the body. */
export function notFound(method: string, path: string): Refusal {
  return new Refusal('unknown_url', `There is no ${method.slice(0, 20)} ${path.slice(0, 200)} here. The routes are listed at /docs.`);
}

/** What Elysia passes to an error hook, as far as we read it. */
interface ErrorContext {
  readonly error: unknown;
  readonly code: string | number;
  readonly path: string;
  readonly request: Request;
}

/** Tells the operator of an unexpected failure: the error itself and the id that the client was given. */
export type ReportFailure = (error: unknown, failureId: string) => void;

/**
 * The one error hook, for every route. Refusals keep their sentence; what is unexpected becomes a 500 with an id
 * and nothing of the error in it, and goes to `report`.
 */
export function errorHook(report: ReportFailure): AnyElysia {
  // Elysia reads the text of this function. A context that is passed on whole makes it parse cookies, query and headers of every
  // request of every route, and rebuild every Response.
  return new Elysia({ name: 'errors' }).onError({ as: 'global' }, ({ error, code, path, request }) =>
    errorResponse(refusalOf({ error, code, path, request }, report), null),
  );
}

function refusalOf(context: ErrorContext, report: ReportFailure): Refusal {
  const { error, code, path, request } = context;
  if (error instanceof Refusal) return error;
  if (code === 'NOT_FOUND') return notFound(request.method, path);
  if (code === 'PARSE') return new Refusal('invalid_json', 'The request body is not valid JSON.');
  const invalid = code === 'VALIDATION' ? validationRefusal(error) : null;
  return invalid ?? unexpected(error, report);
}

function unexpected(error: unknown, report: ReportFailure): Refusal {
  const failureId = crypto.randomUUID();
  report(error, failureId);
  return new Refusal('internal_error', `Something failed inside Panicly. The log of the server has it under ${failureId}.`);
}

/** The part of Elysia's validation error that we read. */
interface ValidationFailure {
  /** Where the value was: `response` means that our own answer was wrong, which is a failure and no refusal. */
  readonly type?: string;
  readonly valueError?: ValueProblem;
}

/** A schema's complaint about one value, as typebox makes it. */
export interface ValueProblem {
  readonly path: string;
  readonly message: string;
}

function validationRefusal(error: unknown): Refusal | null {
  const { type, valueError } = error as ValidationFailure;
  if (type === 'response') return null;
  return valueError ? refusalOfProblem(valueError) : new Refusal('invalid_value', 'The request does not have the documented form.');
}

/** A schema's complaint in our words. */
export function refusalOfProblem(problem: ValueProblem): Refusal {
  const param = problem.path.slice(1).replaceAll('/', '.');
  const options = param === '' ? {} : { param };
  if (problem.message === 'Unexpected property')
    return new Refusal('unknown_field', `The field ${param} is not known here. Leave it out, or see /docs for the fields.`, options);
  if (problem.message === 'Expected required property') return new Refusal('missing_field', `The field ${param} is missing.`, options);
  const wanted = problem.message.charAt(0).toLowerCase() + problem.message.slice(1);
  return new Refusal('invalid_value', `${param === '' ? 'The body' : `The field ${param}`} is not right: ${wanted}.`, options);
}
