import { Elysia, type AnyElysia } from 'elysia';
import type { Refusal } from '../../domain/errors.ts';
import { projectOf } from '../../operator/find.ts';
import type { Office } from '../../operator/office.ts';
import { refusalOf } from '../../operator/outcome.ts';
import { prepareReplay } from '../../operator/replay/replay-policy.ts';
import type { Replays } from '../../operator/replay/replays.ts';
import { ReplayInput, ReplayReport, type ReplayEventJson, type ReplayReportJson } from '../schemas/operator-replay.ts';
import { replayJson } from './replay-json.ts';
import type { Visits } from './visit.ts';

/** How a line of progress looks, by what the client accepts. */
const STREAMS: Readonly<Record<string, (event: ReplayEventJson) => string>> = {
  'text/event-stream': (event) => `event: ${Object.keys(event)[0]}\ndata: ${JSON.stringify(event)}\n\n`,
  'application/x-ndjson': (event) => `${JSON.stringify(event)}\n`,
};

type Run = (onProgress: (share: number) => void, signal: AbortSignal) => Promise<ReplayReportJson>;

/** What another policy would have decided. */
export function replayRoutes(office: Office, visits: Visits, replays: Pick<Replays, 'run'>): AnyElysia {
  const { registry } = office;
  return new Elysia().post(
    '/projects/:id/policy/replay',
    ...visits.read(
      {
        operationId: 'replay-policy',
        reach: 'workspace',
        summary:
          'Judge recorded requests by another policy; with `accept: text/event-stream` or `application/x-ndjson` it tells its progress',
        body: ReplayInput,
        isBodyOptional: true,
        answer: ReplayReport,
      },
      async ({ request, server, scope, id, body }) => {
        const project = projectOf(registry, scope, id);
        const prepared = prepareReplay(office, replays, project, body);
        server?.timeout(request, 0);
        const run: Run = async (onProgress, signal) => replayJson(registry, project, prepared, await prepared.run({ onProgress, signal }));
        const type = (request.headers.get('accept') ?? '').split(/[,;]/, 1)[0]!.trim().toLowerCase();
        const line = STREAMS[type];
        if (line === undefined) return run(() => {}, request.signal);
        return new Response(streamOf(run, line), { headers: { 'content-type': type, 'cache-control': 'no-store' } });
      },
    ),
  );
}

/** Progress at most a hundred times, so nothing has to wait for a slow reader. The replay ends when the reader goes. */
function streamOf(run: Run, line: (event: ReplayEventJson) => string): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const abort = new AbortController();
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const send = (event: ReplayEventJson): void => {
        if (!abort.signal.aborted) controller.enqueue(encoder.encode(line(event)));
      };
      send({ progress: 0 });
      void run((share) => send({ progress: Math.round(share * 100) / 100 }), abort.signal)
        .then(
          (report): ReplayEventJson => ({ report }),
          (error: unknown) => ({ error: errorOf(error) }),
        )
        .then((event) => {
          send(event);
          if (!abort.signal.aborted) controller.close();
        });
    },
    cancel() {
      abort.abort();
    },
  });
}

/** The answer has begun, so a failure can only be a line of it; what failed is no concern of the reader. */
function errorOf(error: unknown): { message: string; reason: Refusal['reason'] } {
  try {
    const { message, reason } = refusalOf(error);
    return { message, reason };
  } catch {
    return { message: 'The replay failed.', reason: 'internal_error' };
  }
}
