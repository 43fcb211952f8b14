import { Type } from '@sinclair/typebox';
import { named, nullable, oneOfUsually, open } from './named.ts';

const anything = Type.Unknown();
const openList = Type.Array(open({}));

/** Who speaks in a message. */
export const MessageRole = named(
  'ChatCompletionRequestMessagesItemsRole',
  oneOfUsually(['system', 'developer', 'user', 'assistant', 'tool', 'function']),
);

/** One message of a chat. `content` may be absent on an assistant message that only calls tools. */
export const Message = named(
  'ChatCompletionRequestMessagesItems',
  open({
    role: MessageRole,
    content: Type.Optional(
      Type.Union([Type.String(), openList, Type.Null()], {
        description: 'Text, or a list of parts: text, image_url, input_audio, file.',
      }),
    ),
    name: Type.Optional(Type.String()),
    tool_calls: Type.Optional(Type.Array(open({}), { description: 'Calls that the assistant made.' })),
    tool_call_id: Type.Optional(Type.String({ description: 'The call that a `tool` message answers.' })),
  }),
);

/** What `POST /v1/chat/completions` takes. */
export const ChatCompletionRequest = named(
  'ChatCompletionRequest',
  open({
    model: Type.String({
      description: 'Provider model identifier.',
      examples: ['gpt-4.1-mini'],
    }),
    messages: Type.Array(Message),
    max_tokens: Type.Optional(Type.Integer({ description: 'Maximum tokens requested from the provider.' })),
    max_completion_tokens: Type.Optional(
      Type.Integer({ description: 'The newer name of max_tokens. Two different caps in one request are refused.' }),
    ),
    temperature: Type.Optional(Type.Number({ format: 'double' })),
    top_p: Type.Optional(Type.Number()),
    n: Type.Optional(Type.Integer({ description: 'How many answers to make. Each one is held and paid.' })),
    stream: Type.Optional(Type.Boolean({ description: 'True sends the answer as server-sent events while it is made.' })),
    stream_options: Type.Optional(
      open({ include_usage: Type.Optional(Type.Boolean({ description: 'True sends the usage as the last event.' })) }),
    ),
    stop: Type.Optional(anything),
    tools: Type.Optional(openList),
    tool_choice: Type.Optional(anything),
    parallel_tool_calls: Type.Optional(Type.Boolean()),
    response_format: Type.Optional(open({})),
    reasoning_effort: Type.Optional(Type.String()),
    seed: Type.Optional(Type.Integer()),
    service_tier: Type.Optional(Type.String()),
    metadata: Type.Optional(open({})),
    user: Type.Optional(Type.String({ description: 'The end user, for budgets of single users.' })),
    safety_identifier: Type.Optional(Type.String({ description: 'The newer name of user.' })),
  }),
);

/** Tokens as chat and embeddings report them. */
export const CompletionUsage = named(
  'CompletionUsage',
  open({
    prompt_tokens: Type.Integer(),
    completion_tokens: Type.Optional(Type.Integer()),
    total_tokens: Type.Integer(),
    prompt_tokens_details: Type.Optional(open({})),
    completion_tokens_details: Type.Optional(open({})),
  }),
);

/** A whole answer. */
export const ChatCompletionResponse = named(
  'ChatCompletionResponse',
  open({
    id: Type.Optional(Type.String()),
    object: Type.Optional(Type.String({ examples: ['chat.completion'] })),
    created: Type.Optional(Type.Integer()),
    model: Type.Optional(Type.String()),
    choices: Type.Optional(Type.Array(open({}, { additionalProperties: Type.Unknown({ description: 'Any type' }) }))),
    usage: Type.Optional(CompletionUsage),
  }),
);

/** One event of a streamed answer. */
export const ChatCompletionChunk = named(
  'ChatCompletionChunk',
  open({
    id: Type.String(),
    object: Type.String({ examples: ['chat.completion.chunk'] }),
    created: Type.Integer(),
    model: Type.String(),
    choices: Type.Array(open({})),
    usage: Type.Optional(nullable(CompletionUsage)),
  }),
);
