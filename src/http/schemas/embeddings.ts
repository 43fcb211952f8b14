import { Type } from '@sinclair/typebox';
import { CompletionUsage } from './chat.ts';
import { named, oneOfUsually, open } from './named.ts';

/** What `POST /v1/embeddings` takes. */
export const EmbeddingsRequest = named(
  'EmbeddingsRequest',
  open({
    model: Type.String({ description: 'Provider model identifier.', examples: ['text-embedding-3-small'] }),
    input: Type.Union([Type.String(), Type.Array(Type.Unknown())], {
      description: 'Text, a list of texts, a list of token ids, or a list of such lists.',
    }),
    encoding_format: Type.Optional(oneOfUsually(['float', 'base64'])),
    dimensions: Type.Optional(Type.Integer()),
    user: Type.Optional(Type.String({ description: 'The end user, for budgets of single users.' })),
  }),
);

/** The vectors, in the order of the inputs. */
export const EmbeddingsResponse = named(
  'EmbeddingsResponse',
  open({
    object: Type.String({ examples: ['list'] }),
    data: Type.Array(
      open({
        object: Type.String({ examples: ['embedding'] }),
        index: Type.Integer(),
        embedding: Type.Union([Type.Array(Type.Number()), Type.String()], { description: 'Numbers, or base64 of little-endian floats.' }),
      }),
    ),
    model: Type.String(),
    usage: CompletionUsage,
  }),
);
