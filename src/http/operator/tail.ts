import { Elysia, type AnyElysia } from 'elysia';
import type { Office } from '../../operator/office.ts';
import type { RecordedDecision } from '../../operator/outcome.ts';
import { openTail, type Tail } from '../../operator/tail.ts';
import { decisionJson } from '../render.ts';
import * as schemas from '../schemas/operator.ts';
import type { Visits } from './visit.ts';

/** How often the ledger is asked. */
const LOOK_MS = 1_000;
/** A comment after so many looks without news, so that nobody between us takes the connection for dead. */
const QUIET_LOOKS = 15;

const encoder = new TextEncoder();

/** New decisions as they are recorded: server-sent events. */
export function tailRoutes(office: Office, visits: Visits): AnyElysia {
  return new Elysia().get(
    '/decisions/tail',
    ...visits.read(
      {
        operationId: 'tail-decisions',
        reach: 'workspace',
        summary: 'New decisions as server-sent events: one event `decision` for each, its data as in the list',
        query: schemas.TailQuery,
        answer: schemas.Decision,
      },
      ({ request, server, query, scope, actor }) => {
        server?.timeout(request, 0);
        const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store' };
        return new Response(streamOf(office, openTail(office, scope, query, actor.id)), { headers });
      },
    ),
  );
}

function eventOf({ registry }: Office, recorded: RecordedDecision): string {
  return `event: decision\ndata: ${JSON.stringify(decisionJson(registry, recorded))}\n\n`;
}

function streamOf(office: Office, tail: Tail): ReadableStream<Uint8Array> {
  let looks = 0;
  const news = async (): Promise<string | null> => {
    while (!tail.isClosed) {
      await Bun.sleep(LOOK_MS);
      const seen = tail.isClosed ? null : await tail.look();
      if (seen === null) return null;
      if (seen.length > 0) return seen.map((recorded) => eventOf(office, recorded)).join('');
      if (++looks % QUIET_LOOKS === 0) return ': quiet\n\n';
    }
    return null;
  };
  return new ReadableStream<Uint8Array>({
    async start(controller) {
      await tail.look();
      controller.enqueue(encoder.encode(': watching\n\n'));
    },
    async pull(controller) {
      const text = await news().catch(() => null);
      if (text !== null) return controller.enqueue(encoder.encode(text));
      if (!tail.isClosed) controller.close();
      tail.close();
    },
    cancel: () => tail.close(),
  });
}
