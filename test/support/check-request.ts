import type { TSchema } from '@sinclair/typebox';
import { TypeCompiler, type TypeCheck } from '@sinclair/typebox/compiler';
import type { Route } from '../../src/domain/candidate.ts';
import type { Refusal } from '../../src/domain/errors.ts';
import { refusalOfProblem } from '../../src/http/errors.ts';
import { ChatCompletionRequest } from '../../src/http/schemas/chat.ts';
import { EmbeddingsRequest } from '../../src/http/schemas/embeddings.ts';
import { ResponsesRequest } from '../../src/http/schemas/responses.ts';

const compiled: Readonly<Record<Route, TypeCheck<TSchema>>> = {
  chat: TypeCompiler.Compile<TSchema>(ChatCompletionRequest),
  responses: TypeCompiler.Compile<TSchema>(ResponsesRequest),
  embeddings: TypeCompiler.Compile<TSchema>(EmbeddingsRequest),
};

/**
 * Checks a parsed request body against the schema that is served in `/openapi.json`. Null when it fits.
 * A top-level member that is null counts as absent, as providers take it. Unknown members always fit.
 */
export function checkRequest(route: Route, body: unknown): Refusal | null {
  const check = compiled[route];
  if (check.Check(body)) return null;
  for (const problem of check.Errors(body)) if (problem.value !== null || problem.path === '') return refusalOfProblem(problem);
  return null;
}
