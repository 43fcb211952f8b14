import type { SeenRequest } from './mock-provider.ts';

/** What arrived at the provider, and what should have. */
export interface Arrived {
  readonly recording: { readonly sent: string };
  readonly seen: readonly SeenRequest[];
  readonly projectKey: string;
  readonly authorization: string;
}

type Json = Record<string, unknown>;

/** Compares what the provider saw with what the client sent; injected members are allowed by name. */
export function differences({ recording, seen, projectKey, authorization }: Arrived): string[] {
  if (seen.length !== 1) return [`the provider saw ${seen.length} requests`];
  const request = seen[0]!;
  const wrong: string[] = [];
  if (request.headers['authorization'] !== authorization) wrong.push('the provider did not see its own key');
  if (request.head.includes(projectKey) || request.body.includes(projectKey)) wrong.push('the provider saw the project key');
  const arrived = withoutInjected(request.json() as Json, JSON.parse(recording.sent) as Json);
  if (!Bun.deepEquals(arrived, JSON.parse(recording.sent), true))
    wrong.push(`the body that arrived differs: ${request.body.toString('utf8', 0, 300)}`);
  return wrong;
}

/** Takes out `stream_options.include_usage` where the client sent none or asked for none: the one thing that we put in where money is not limited. */
function withoutInjected(arrived: Json, sent: Json): Json {
  const options = arrived['stream_options'] as Json | undefined;
  const sentOptions = sent['stream_options'] as Json | null | undefined;
  if (options?.['include_usage'] !== true || sentOptions?.['include_usage'] === true) return arrived;
  const { include_usage: _, ...others } = options;
  const rest = sentOptions?.['include_usage'] === undefined ? others : { ...others, include_usage: sentOptions['include_usage'] };
  if (sentOptions === undefined && Object.keys(rest).length === 0) {
    const { stream_options: __, ...without } = arrived;
    return without;
  }
  return { ...arrived, stream_options: sentOptions === null ? null : rest };
}
