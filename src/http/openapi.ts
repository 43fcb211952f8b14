import { Elysia, type AnyElysia } from 'elysia';
import { VERSION } from '../version.ts';
import { completeDetail, GATEWAY_TAG } from './detail.ts';
import { mendOperation, mendSchema, type Components, type Json } from './mend.ts';
import { reasonTable } from './reasons.ts';
import { ChatCompletionChunk } from './schemas/chat.ts';
import { ResponsesStreamEvent } from './schemas/responses.ts';

/** An OpenAPI 3.1 document as plain JSON. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Record<string, Record<string, Json>>;
  readonly components: { readonly schemas: Components } & Record<string, Json>;
  readonly [member: string]: unknown;
}

const SPECIFICATION_PATH = '/specification';
/** A value of its own: the plugin's type does not know the member, but it passes it on. */
const VERSION_OF_DOCUMENT = { openapi: '3.1.0' };

const description =
  () => `Panicly stands between your applications and model providers. It judges each request, records the decision, and only then forwards.

Point an OpenAI SDK at this server and use a project key:

    curl http://127.0.0.1:3000/v1/chat/completions -H "authorization: Bearer pk_test_..." -H "content-type: application/json" \\
      -d '{"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "Say hello."}]}'

Send the key as \`Authorization: Bearer pk_...\` or as \`x-panicly-key: pk_...\`. A key that starts with \`pk_test_\` never spends: the built-in simulator answers.

## Errors

Every error that Panicly makes has one shape: \`{"error": {"type", "reason", "code", "param", "message", "decision_id"}}\`. 402 means "top up", 403 means "a policy says no". Where \`x-should-retry\` is \`true\`, the same request may pass after \`retry-after\` seconds. What a provider answers, its errors included, passes through as it is.

${reasonTable()}
`;

function header(description: string, example: string) {
  return { description, schema: { type: 'string' }, example };
}

const HEADERS = {
  'x-panicly-decision-id': header('The recorded decision. On every answer to a judged request.', 'dec_mi9x0k2c0a1'),
  'x-panicly-request-id': header('The id of a request that was refused before it was judged, as the log has it.', 'req_4k2n8s0d7f3h9j1l'),
  'x-panicly-cost-hold-usd': header('What was reserved before the request was forwarded, USD.', '0.0123'),
  'x-panicly-cost-usd': header('What the request cost, USD. On answers that are not streamed.', '0.000123'),
  'x-panicly-output-cap': header('The output cap that Panicly put into the request, tokens.', '4096'),
  'x-panicly-budget-remaining-usd': header('What the tightest budget has left after this hold, USD.', '9.98'),
  'x-should-retry': header('Whether the same request may pass later: `true` or `false`. OpenAI SDKs obey it.', 'false'),
  'retry-after': header('Seconds to wait. Only where a retry can help.', '1'),
};

const PARAMETERS = {
  EndUser: {
    name: 'x-panicly-user',
    in: 'header',
    required: false,
    description: 'The end user, for budgets of single users. `user` and `safety_identifier` in the body name one too.',
    schema: { type: 'string' },
  },
};

const SECURITY_SCHEMES = {
  projectKey: { type: 'http', scheme: 'bearer', description: 'A project key: pk_live_... or pk_test_...' },
  projectKeyHeader: { type: 'apiKey', in: 'header', name: 'x-panicly-key', description: 'The same key, in a header of its own.' },
  operatorToken: { type: 'http', scheme: 'bearer', description: 'An operator token: po_live_... Only for /admin/v1.' },
};

const TAGS = [
  { name: GATEWAY_TAG, description: 'What applications call.' },
  { name: 'operator', description: 'What operators call, with an operator token.' },
  { name: 'operations', description: 'What supervisors and probes call.' },
];

/**
 * The OpenAPI document of the routes that `app` has right now. Written by the swagger plugin in an application of its own
 * that only borrows the route table, so that nothing of the plugin can be reached from outside.
 */
export async function openapiDocument(app: AnyElysia): Promise<OpenApiDocument> {
  // Both are only needed here, and take long enough to load that no start should wait for them.
  const [{ swagger }, { STATUS_CODES }] = await Promise.all([import('@elysiajs/swagger'), import('node:http')]);
  const documenter = new Elysia();
  // The plugin reads routes and models of the application that it was added to.
  for (const route of app.routes) documenter.route(route.method, documentedPath(route.path), '', documentedPart(route.hooks));
  documenter.use(swagger({ path: '/page', specPath: SPECIFICATION_PATH, documentation: VERSION_OF_DOCUMENT }));
  const response = await documenter.handle(new Request(`http://localhost${SPECIFICATION_PATH}`));
  return finish((await response.json()) as { paths: Record<string, Record<string, Json>> }, STATUS_CODES);
}

/** A model's name may hold slashes, so its route ends in `*`; in the document it is a parameter as any other. */
function documentedPath(path: string): string {
  return path.replace(/\/\*$/, '/:id');
}

/** Route options that the plugin reads; hooks and handlers of the live routes stay where they are. */
function documentedPart(hooks: Readonly<Record<string, unknown>>) {
  const { detail, query, params, tags } = hooks;
  return {
    ...(detail ? { detail: completeDetail(detail) } : {}),
    ...(query ? { query } : {}),
    ...(params ? { params } : {}),
    ...(tags ? { tags } : {}),
  } as object;
}

/** What each status is called: `{ 404: 'Not Found' }`. */
type StatusTexts = Readonly<Record<string, string | undefined>>;

function finish(raw: { readonly paths: Record<string, Record<string, Json>> }, statusTexts: StatusTexts): OpenApiDocument {
  const schemas: Components = {};
  for (const schema of [ChatCompletionChunk, ResponsesStreamEvent]) mendSchema(asJson(schema), schemas);
  const paths = mendSchema(raw.paths, schemas) as Record<string, Record<string, Json>>;
  for (const path of Object.values(paths))
    for (const operation of Object.values(path)) mendOperation(operation as { [name: string]: Json }, statusTexts);
  return {
    ...VERSION_OF_DOCUMENT,
    info: { title: 'Panicly', version: VERSION, description: description() },
    servers: [
      { url: '/', description: 'This server' },
      { url: 'http://127.0.0.1:3000', description: 'A server on your own machine' },
    ],
    tags: TAGS,
    security: [{ projectKey: [] }, { projectKeyHeader: [] }],
    paths,
    components: { schemas, headers: HEADERS, parameters: PARAMETERS, securitySchemes: SECURITY_SCHEMES },
  };
}

function asJson(schema: object): Json {
  return JSON.parse(JSON.stringify(schema)) as Json;
}
