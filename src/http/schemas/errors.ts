import { Type } from '@sinclair/typebox';
import { REASONS } from '../../domain/errors.ts';
import { named, nullable, open } from './named.ts';

const types = [...new Set(Object.values(REASONS).map((facts) => facts.type))];

/** The one shape of what we refuse. A provider's own errors pass as they are, so that members may be missing there. */
export const ErrorResponseError = named(
  'ErrorResponseError',
  open({
    type: Type.String({ description: 'The family of the error.', examples: types }),
    reason: Type.Optional(Type.String({ description: 'A stable code to branch on. The list is in the description of this API.' })),
    code: Type.Optional(nullable(Type.String(), { description: 'The same as reason: where OpenAI clients look for it.' })),
    param: Type.Optional(nullable(Type.String(), { description: 'The request field that was wrong, or null.' })),
    message: Type.String({ description: 'What happened and what to do next, for people.' }),
    decision_id: Type.Optional(
      nullable(Type.String(), { description: 'The recorded decision (`dec_...`), or null when the request was not judged.' }),
    ),
  }),
);

/** The body of every error that Panicly makes. */
export const ErrorResponse = named('ErrorResponse', open({ error: Type.Optional(ErrorResponseError) }));
