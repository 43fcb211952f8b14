import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Route } from '../../src/domain/candidate.ts';
import { parseDecisionId } from '../../src/domain/ids.ts';
import { serve } from '../../src/gateway/pipeline.ts';
import type { Refused } from '../../src/gateway/refused.ts';
import type { RecordedDecision } from '../../src/ledger/store.ts';
import { CONTROLS } from '../../src/policy/controls.ts';
import {
  completion,
  EVENTS,
  jsonAnswer,
  readAll,
  refusalOf,
  responseOf,
  streamAnswer,
  World,
  type FakeAnswer,
} from '../support/gateway.ts';
import { MATRIX, type InForce, type MatrixRow } from '../support/matrix-rows.ts';
import { compiled, NOTHING } from '../support/policies.ts';

/** Every control, on every route, streamed or not, however the key is presented, in every mode: through the path, on a real ledger. */

const ROUTES: readonly { readonly route: Route; readonly stream: boolean }[] = [
  { route: 'chat', stream: false },
  { route: 'chat', stream: true },
  { route: 'responses', stream: false },
  { route: 'responses', stream: true },
  { route: 'embeddings', stream: false },
];

const KEYS: Readonly<Record<string, (key: string) => Record<string, string>>> = {
  bearer: (key) => ({ authorization: `Bearer ${key}` }),
  'x-panicly-key': (key) => ({ 'x-panicly-key': key }),
  both: (key) => ({ authorization: `Bearer ${key}`, 'x-panicly-key': key }),
};

const BODIES: Readonly<Record<Route, object>> = {
  chat: { model: 'gpt-4.1-mini', messages: [{ role: 'user', content: 'say a word' }], max_tokens: 100, user: 'ada' },
  responses: { model: 'gpt-4.1-mini', input: 'say a word', max_output_tokens: 100, user: 'ada' },
  embeddings: { model: 'text-embedding-3-small', input: 'say a word', user: 'ada' },
};

let world: World;
let sentryIsOn = false;

beforeAll(async () => {
  world = await World.open({ origin: { lookup: () => 'KP' } });
  // One stays in flight to the end, and of each payload one was there before.
  let isFirst = true;
  world.upstream.reply = ({ body, url }) => {
    if (isFirst) return ((isFirst = false), streamAnswer());
    const isStreamed = new TextDecoder().decode(body!).includes('"stream":true');
    return isStreamed ? streamOf(url) : jsonAnswer(200, completion());
  };
  await send('chat', true, KEYS['bearer']!, { messages: [] });
  for (const { route, stream } of ROUTES) await finished(await send(route, stream, KEYS['bearer']!, {}));
});
afterAll(() => world.close());

function streamOf(url: string): FakeAnswer {
  const usage = { input_tokens: 3, output_tokens: 1, total_tokens: 4 };
  const completed = { type: 'response.completed', response: { id: 'resp_1', status: 'completed', usage } };
  const events = url.endsWith('/responses')
    ? [`data: ${JSON.stringify(completed)}\n\n`]
    : [EVENTS.word, EVENTS.stop, EVENTS.usage, EVENTS.done];
  return streamAnswer()
    .push(...events)
    .finish();
}

function send(
  route: Route,
  stream: boolean,
  present: (key: string) => Record<string, string>,
  change: object,
): Promise<Response | Refused> {
  const request = new Request('http://127.0.0.1/', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...present(world.liveKey) },
    body: JSON.stringify({ ...BODIES[route], ...(stream ? { stream } : {}), ...change }),
  });
  return serve(world.gateway, { route, request, peer: '203.0.113.5', arrivedMs: world.gateway.monotonicMs() });
}

/** Puts into force what a cell says, and nothing else. */
async function enact({ project = {}, workspace = {}, capacity, sentry = false }: InForce): Promise<void> {
  const policy = compiled({ ...NOTHING, ...project }, workspace, capacity);
  world.gateway.directory.putProject({ ...world.project, policy });
  if (sentry !== sentryIsOn) await world.opened.store.setSentry({ projectId: 1 }, sentry, 'test');
  sentryIsOn = sentry;
}

/** Reads an answer to its end: the id of its decision. */
async function finished(answer: Response | Refused): Promise<string> {
  const response = responseOf(answer);
  expect(response.status).toBe(200);
  expect((await readAll(response)).broken).toBe(false);
  return response.headers.get('x-panicly-decision-id')!;
}

/** The rows of decisions, once they are written. */
async function rowsOf(ids: readonly string[]): Promise<(RecordedDecision | null)[]> {
  await world.opened.ledger.drain();
  return await Promise.all(ids.map((id) => world.opened.store.getDecision(parseDecisionId(id)!.seq)));
}

interface Cell {
  readonly label: string;
  readonly send: () => Promise<Response | Refused>;
}

/** Every route, way of answering and way to present the key. */
function cells(row: MatrixRow): Cell[] {
  return ROUTES.filter(({ route }) => row.notOn?.includes(route) !== true).flatMap(({ route, stream }) =>
    Object.entries(KEYS).map(([name, present]) => ({
      label: `${route}${stream ? ' streamed' : ''}, ${name}`,
      send: () => send(route, stream, present, row.body?.(route) ?? {}),
    })),
  );
}

describe.each(MATRIX.map((row) => [`${row.by.name}: ${row.name}`, row] as const))('%s', (_, row) => {
  test('enforced, refuses everywhere, and nothing arrives upstream', async () => {
    await enact(row.rule('enforce'));
    const before = world.upstream.arrived.length;
    for (const cell of cells(row)) {
      const { reason, decisionId } = refusalOf(await cell.send());
      expect([cell.label, reason, decisionId?.slice(0, 4)]).toEqual([cell.label, row.reason, 'dec_']);
    }
    expect(world.upstream.arrived.length).toBe(before);
  });

  const observing = 'observed, forwards everywhere and leaves its finding in the row';
  if (row.canObserve)
    test(observing, async () => {
      await enact(row.rule('observe'));
      const before = world.upstream.arrived.length;
      const ids: string[] = [];
      for (const cell of cells(row)) ids.push(await finished(await cell.send()));
      expect(world.upstream.arrived.length).toBe(before + ids.length);
      for (const recorded of await rowsOf(ids)) {
        const { verdict } = recorded!.decision;
        expect([verdict.allow, recorded!.settlement?.outcome]).toEqual([true, 'completed']);
        expect(verdict.observed.map(({ control, reason }) => [control, reason])).toEqual([[row.by.name, row.reason]]);
        for (const part of Object.values(verdict.observed[0]!)) expect(part).not.toBe('');
      }
    });

  test('off, forwards everywhere and leaves nothing', async () => {
    await enact(row.rule('off'));
    const ids: string[] = [];
    for (const cell of cells(row)) ids.push(await finished(await cell.send()));
    for (const recorded of await rowsOf(ids)) expect(recorded!.decision.verdict).toMatchObject({ allow: true, observed: [] });
  });
});

test('every control of the live list has a row', () => {
  expect(CONTROLS.filter((control) => !MATRIX.some(({ by }) => by === control))).toEqual([]);
});

test('what was observed is found by asking for it, and nothing else is', async () => {
  await world.opened.ledger.drain();
  const observed = (await world.opened.store.listDecisions({ observed: true }, null, 1_000)).items;
  const cellsObserved = MATRIX.filter(({ canObserve }) => canObserve).reduce((sum, row) => sum + cells(row).length, 0);
  expect(observed).toHaveLength(cellsObserved);
  expect(observed.every(({ decision }) => decision.verdict.observed.length > 0)).toBe(true);
});
