import type { TObject, TSchema } from '@sinclair/typebox';
import type { DocumentDecoration } from 'elysia';
import type { Route } from '../domain/candidate.ts';
import { REASONS } from '../domain/errors.ts';
import { REASON_MEANINGS, reasonsOfStatus } from './reasons.ts';
import { ChatCompletionRequest, ChatCompletionResponse } from './schemas/chat.ts';
import { EmbeddingsRequest, EmbeddingsResponse } from './schemas/embeddings.ts';
import { ErrorResponse } from './schemas/errors.ts';
import { Model, ModelList } from './schemas/models.ts';
import { ResponsesRequest, ResponsesResponse } from './schemas/responses.ts';

/**
 * What a route is documented with. It is made when the document is asked for, because no start should wait for it:
 * the route table only carries how.
 */
const COMPLETE = 'x-complete';

function later(complete: () => DocumentDecoration): DocumentDecoration {
  return { [COMPLETE]: complete } as DocumentDecoration;
}

/** The whole `detail` of a route, as the document shows it. */
export function completeDetail(detail: DocumentDecoration): DocumentDecoration {
  const complete: unknown = (detail as Readonly<Record<string, unknown>>)[COMPLETE];
  return typeof complete === 'function' ? (complete() as DocumentDecoration) : detail;
}

/** The tag of the routes for applications. */
export const GATEWAY_TAG = 'subpackage_gateway';

/** What a status means on the routes for applications. */
const STATUS_MEANINGS: Readonly<Record<number, string>> = {
  400: 'The request cannot be judged as it is.',
  401: 'Missing or invalid Panicly API key.',
  402: 'Workspace has no remaining included or credit-backed capacity.',
  403: 'Panicly policy blocked the request before provider forwarding.',
  404: 'No such route, or no provider for this model.',
  408: 'The request body did not arrive in time.',
  413: 'The request body is too large.',
  415: 'The request body is compressed or not JSON.',
  429: 'The rate limit of the provider, passed through; or a retryable refusal, where the policy asks for this status.',
  500: 'A failure inside Panicly, or an error of the provider, passed through.',
  502: 'The provider could not be reached, broke off, or did not accept our key.',
  503: 'The decision cannot be recorded, or the server is overloaded or stopping. Nothing was sent.',
  504: 'The provider did not answer in time.',
};

const EVERY_ERROR = Object.keys(STATUS_MEANINGS).map(Number);
const READ_ERRORS = [400, 401, 403, 404, 429, 500, 502, 503, 504];
const BOTH_KEYS = [{ projectKey: [] }, { projectKeyHeader: [] }];
const DECISION_HEADER = { 'x-panicly-decision-id': headerRef('x-panicly-decision-id') };
const RETRY_HEADERS = { 'x-should-retry': headerRef('x-should-retry'), 'retry-after': headerRef('retry-after') };
const ANSWER_HEADERS = {
  ...DECISION_HEADER,
  'x-panicly-cost-hold-usd': headerRef('x-panicly-cost-hold-usd'),
  'x-panicly-cost-usd': headerRef('x-panicly-cost-usd'),
  'x-panicly-output-cap': headerRef('x-panicly-output-cap'),
  'x-panicly-budget-remaining-usd': headerRef('x-panicly-budget-remaining-usd'),
};

function headerRef(name: string) {
  return { $ref: `#/components/headers/${name}` };
}

function json(schema: TSchema, examples?: object) {
  return { 'application/json': { schema, ...(examples ? { examples } : {}) } };
}

function errorAnswer(status: number) {
  const examples = Object.fromEntries(reasonsOfStatus(status).map((reason) => [reason, errorExample(reason)]));
  const headers = { ...DECISION_HEADER, 'x-panicly-request-id': headerRef('x-panicly-request-id'), ...RETRY_HEADERS };
  return {
    description: STATUS_MEANINGS[status]!,
    headers,
    content: json(ErrorResponse, Object.keys(examples).length ? examples : undefined),
  };
}

function errorExample(reason: keyof typeof REASONS) {
  const message = REASON_MEANINGS[reason];
  const error = { type: REASONS[reason].type, reason, code: reason, param: null, message, decision_id: null };
  return { summary: message, value: { error } };
}

function errorAnswers(statuses: readonly number[]) {
  return Object.fromEntries(statuses.map((status) => [status, errorAnswer(status)]));
}

function eventStream(description: string, example: string) {
  return { 'text/event-stream': { schema: { type: 'string', description }, example } };
}

interface JudgedRoute {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly request: TSchema;
  readonly example: object;
  readonly answer: TSchema;
  readonly events?: object;
}

function judged(route: JudgedRoute): DocumentDecoration {
  return later(
    () =>
      ({
        operationId: route.operationId,
        summary: route.summary,
        description: route.description,
        tags: [GATEWAY_TAG],
        security: BOTH_KEYS,
        parameters: [{ $ref: '#/components/parameters/EndUser' }],
        requestBody: { required: true, content: { 'application/json': { schema: route.request, example: route.example } } },
        responses: {
          200: {
            description: 'Provider response returned through Panicly.',
            headers: ANSWER_HEADERS,
            content: { ...json(route.answer), ...route.events },
          },
          ...errorAnswers(EVERY_ERROR),
        },
      }) as DocumentDecoration,
  );
}

function read(operationId: string, summary: string, answer: TSchema, statuses: readonly number[]): DocumentDecoration {
  return later(
    () =>
      ({
        operationId,
        summary,
        description: 'Only what the connections and the model rules of the project allow. Nothing is reserved, no decision is recorded.',
        tags: [GATEWAY_TAG],
        security: BOTH_KEYS,
        responses: { 200: { description: summary, content: json(answer) }, ...errorAnswers(statuses) },
      }) as DocumentDecoration,
  );
}

const FORWARDED =
  'Panicly authenticates the project key, evaluates controls, records a decision, and then forwards approved traffic upstream.\n';
const HELLO = 'Say hello.';

/** The `detail` of each route for applications: give it to Elysia as it is, without `body` or `response` schemas beside it. */
export const publicDetail: Readonly<Record<Route | 'models' | 'model', DocumentDecoration>> = {
  chat: judged({
    operationId: 'create-chat-completion',
    summary: 'Create a chat completion',
    description: `Sends an OpenAI-compatible chat completion request through Panicly.\n\n${FORWARDED}`,
    request: ChatCompletionRequest,
    example: { model: 'gpt-4.1-mini', messages: [{ role: 'user', content: HELLO }] },
    answer: ChatCompletionResponse,
    events: eventStream(
      'With `stream: true`: one ChatCompletionChunk in each event, then `[DONE]`.',
      'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1763800000,"model":"gpt-4.1-mini","choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":null}]}\n\ndata: [DONE]\n\n',
    ),
  }),
  responses: judged({
    operationId: 'create-response',
    summary: 'Create a response',
    description: `Sends an OpenAI-compatible Responses request through Panicly.\n\n${FORWARDED}`,
    request: ResponsesRequest,
    example: { model: 'gpt-4.1-mini', input: HELLO },
    answer: ResponsesResponse,
    events: eventStream(
      'With `stream: true`: one ResponsesStreamEvent in each event, `response.completed` last.',
      'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":4,"delta":"Hello"}\n\n',
    ),
  }),
  embeddings: judged({
    operationId: 'create-embeddings',
    summary: 'Create embeddings',
    description: `Sends an OpenAI-compatible embeddings request through Panicly.\n\n${FORWARDED}`,
    request: EmbeddingsRequest,
    example: { model: 'text-embedding-3-small', input: ['first text', 'second text'] },
    answer: EmbeddingsResponse,
  }),
  models: read('list-models', 'List the models that this project may use', ModelList, READ_ERRORS),
  model: read('get-model', 'One model that this project may use', Model, READ_ERRORS),
};

/** What the document says of a route for operators. `statuses` are its errors besides 400, 401, 403, 404, 429, 500 and 503. */
export interface OperatorRoute {
  readonly operationId: string;
  readonly summary: string;
  readonly tag: string;
  readonly answer?: TSchema;
  readonly request?: TSchema;
  /** Parameters of the address. */
  readonly query?: TObject;
  readonly statuses?: readonly number[];
  /** 200 when absent; 201 for what is made, 204 for no body. */
  readonly success?: number;
}

/** Makes the `detail` of a route for operators. */
export function operatorDetail(route: OperatorRoute): DocumentDecoration {
  return later(() => operatorDocument(route));
}

function operatorDocument(route: OperatorRoute): DocumentDecoration {
  const success = route.success ?? 200;
  const statuses = [400, 401, 403, 404, 429, 500, 503, ...(route.statuses ?? [])];
  const errors = Object.fromEntries(statuses.map((status) => [status, operatorError(status)]));
  return {
    operationId: route.operationId,
    summary: route.summary,
    tags: [route.tag],
    security: [{ operatorToken: [] }],
    ...(route.query ? { parameters: queryParameters(route.query) } : {}),
    ...(route.request ? { requestBody: { required: true, content: json(route.request) } } : {}),
    responses: { [success]: { description: route.summary, ...(route.answer ? { content: json(route.answer) } : {}) }, ...errors },
  } as DocumentDecoration;
}

function queryParameters(query: TObject) {
  return Object.entries(query.properties).map(([name, schema]) => ({ name, in: 'query', required: false, schema }));
}

const OPERATOR_STATUS_MEANINGS: Readonly<Record<number, string>> = {
  400: 'A field is missing, wrong or not known; `param` names it.',
  401: 'Missing or wrong operator token.',
  403: 'This operator may not do this.',
  404: 'Nothing has this id.',
  409: 'Something of this name is already there.',
  429: 'Too many attempts with wrong tokens from this address.',
  500: 'A failure inside Panicly.',
  503: 'The ledger cannot be written or read right now.',
};

function operatorError(status: number) {
  return { description: OPERATOR_STATUS_MEANINGS[status] ?? STATUS_MEANINGS[status]!, content: json(ErrorResponse) };
}
