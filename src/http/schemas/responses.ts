import { Type } from '@sinclair/typebox';
import { named, nullable, open } from './named.ts';

const openList = Type.Array(open({}));

/** What `POST /v1/responses` takes. */
export const ResponsesRequest = named(
  'ResponsesRequest',
  open({
    model: Type.String({ description: 'Provider model identifier.', examples: ['gpt-4.1-mini'] }),
    input: Type.Optional(
      Type.Union([Type.String(), Type.Array(Type.Unknown())], {
        description: 'Text, or a list of items: messages, function calls and their outputs, references.',
      }),
    ),
    instructions: Type.Optional(nullable(Type.Union([Type.String(), Type.Array(Type.Unknown())]))),
    max_output_tokens: Type.Optional(Type.Integer({ description: 'The most tokens that the answer may have, reasoning included.' })),
    max_tool_calls: Type.Optional(Type.Integer({ description: 'The most calls of hosted tools.' })),
    temperature: Type.Optional(Type.Number()),
    top_p: Type.Optional(Type.Number()),
    stream: Type.Optional(Type.Boolean({ description: 'True sends the answer as server-sent events while it is made.' })),
    store: Type.Optional(Type.Boolean({ description: 'Whether the provider keeps the answer.' })),
    background: Type.Optional(Type.Boolean({ description: 'Must be false: the cost of background work would never pass this server.' })),
    previous_response_id: Type.Optional(
      Type.String({ description: 'A stored answer of the same project. Allowed only when the policy allows stored references.' }),
    ),
    conversation: Type.Optional(Type.Unknown()),
    include: Type.Optional(Type.Array(Type.String())),
    tools: Type.Optional(openList),
    tool_choice: Type.Optional(Type.Unknown()),
    parallel_tool_calls: Type.Optional(Type.Boolean()),
    reasoning: Type.Optional(open({})),
    text: Type.Optional(open({})),
    truncation: Type.Optional(Type.String()),
    service_tier: Type.Optional(Type.String()),
    metadata: Type.Optional(open({})),
    user: Type.Optional(Type.String({ description: 'The end user, for budgets of single users.' })),
    safety_identifier: Type.Optional(Type.String({ description: 'The newer name of user.' })),
  }),
);

/** Tokens as the Responses API reports them. */
export const ResponsesUsage = named(
  'ResponsesUsage',
  open({
    input_tokens: Type.Integer(),
    input_tokens_details: Type.Optional(open({})),
    output_tokens: Type.Integer(),
    output_tokens_details: Type.Optional(open({})),
    total_tokens: Type.Integer(),
  }),
);

/** A whole answer of the Responses API. */
export const ResponsesResponse = named(
  'ResponsesResponse',
  open({
    id: Type.String(),
    object: Type.String({ examples: ['response'] }),
    status: Type.Optional(Type.String()),
    model: Type.String(),
    output: Type.Array(open({})),
    usage: Type.Optional(nullable(ResponsesUsage)),
  }),
);

/** One event of a streamed answer: `response.created`, `response.output_text.delta` ... `response.completed`. */
export const ResponsesStreamEvent = named(
  'ResponsesStreamEvent',
  open({
    type: Type.String({ examples: ['response.output_text.delta'] }),
    sequence_number: Type.Integer(),
  }),
);
