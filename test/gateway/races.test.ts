import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Attempt } from '../../src/gateway/attempt.ts';
import type { UpstreamRequest } from '../../src/upstream/upstream.ts';
import { chatBody, EVENTS, responseOf, streamAnswer, World, type FakeAnswer } from '../support/gateway.ts';

const ROUNDS = 200;

let world: World;
beforeAll(async () => {
  world = await World.open();
  world.upstream.reply = answerByContent;
});
afterAll(() => world.close());

/** What may happen to a stream at the same time. Each returns at once. */
const ENDS: Readonly<Record<string, (race: Race) => void>> = {
  finish: ({ answer }) => void answer.push(EVENTS.stop, EVENTS.usage, EVENTS.done).finish(),
  break: ({ answer }) => void answer.breakOff(),
  silence: ({ answer }) => void answer.breakOff('timeout'),
  cancel: ({ reader }) => void reader.cancel().catch(() => {}),
  leave: ({ client }) => client.abort(),
  sentry: ({ attempt }) => attempt.cut('cut_sentry'),
  revoke: ({ attempt }) => attempt.cut('cut_revoked'),
  shutdown: ({ attempt }) => attempt.cut('cut_shutdown'),
  slow: ({ attempt }) => attempt.stop('client_aborted'),
};

interface Race {
  readonly answer: FakeAnswer;
  readonly reader: { read(): Promise<{ readonly done: boolean }>; cancel(): Promise<void> };
  readonly client: AbortController;
  readonly attempt: Attempt;
}

async function start(): Promise<Race> {
  const client = new AbortController();
  const content = `race ${started++}`;
  const body = chatBody({ stream: true, messages: [{ role: 'user', content }] });
  const response = responseOf(await world.call(body, { signal: client.signal }));
  const attempt = attemptOf(response.headers.get('x-panicly-decision-id')!);
  return { answer: answers.get(content)!, reader: response.body!.getReader() as Race['reader'], client, attempt };
}

let started = 0;
const answers = new Map<string, FakeAnswer>();

/** Every stream has its own answer, found by what was asked. */
function answerByContent(request: UpstreamRequest): FakeAnswer {
  const { messages } = JSON.parse(new TextDecoder().decode(request.body!)) as { messages: { content: string }[] };
  const answer = streamAnswer(request).push(EVENTS.word);
  answers.set(messages[0]!.content, answer);
  return answer;
}

function attemptOf(id: string): Attempt {
  let found: Attempt | null = null;
  world.gateway.inFlight.cut('cut_shutdown', (attempt) => {
    if (attempt.id === id) found = attempt;
    return false;
  });
  return found!;
}

/** Reads until the end or the break. */
async function drain(reader: Race['reader']): Promise<'clean' | 'broken'> {
  try {
    for (;;) if ((await reader.read()).done) return 'clean';
  } catch {
    return 'broken';
  }
}

const names = Object.keys(ENDS);
const pairs = names.flatMap((first, index) => names.slice(index + 1).map((second) => [first, second] as const));

describe(`two ends at once, ${ROUNDS} times each`, () => {
  test.each(pairs)('%s and %s: one settlement, nothing stays open, no cut looks clean', async (first, second) => {
    world.settlements.length = 0;
    const run = async (round: number): Promise<void> => {
      const race = await start();
      // Before, between and after the reads; and in either order.
      if (round % 3 === 1) await race.reader.read();
      const reading = round % 3 === 2 ? drain(race.reader) : null;
      const order = round % 2 === 0 ? [first, second] : [second, first];
      ENDS[order[0]!]!(race);
      if (round % 5 === 0) await Promise.resolve();
      ENDS[order[1]!]!(race);
      const end = await (reading ?? drain(race.reader));
      // Whoever neither finished nor cancelled must see a break.
      if (![first, second].some((name) => name === 'finish' || name === 'cancel')) expect(end).toBe('broken');
    };
    await Promise.all(Array.from({ length: ROUNDS }, (_, round) => run(round)));
    const seqs = new Set(world.settlements.map(({ decisionSeq }) => decisionSeq));
    expect([world.settlements.length, seqs.size]).toEqual([ROUNDS, ROUNDS]);
    expect([world.openHolds, world.gateway.inFlight.size]).toEqual([0, 0]);
  });
});

test('every end at once, on one stream that nobody reads', async () => {
  world.settlements.length = 0;
  const run = async (round: number): Promise<void> => {
    const race = await start();
    const order = names.toSorted((one, other) => Number(Bun.hash(`${one}${round}`)) - Number(Bun.hash(`${other}${round}`)));
    for (const name of order) ENDS[name]!(race);
    await drain(race.reader);
  };
  await Promise.all(Array.from({ length: ROUNDS }, (_, round) => run(round)));
  expect(new Set(world.settlements.map(({ decisionSeq }) => decisionSeq)).size).toBe(ROUNDS);
  expect([world.settlements.length, world.openHolds]).toEqual([ROUNDS, 0]);
});

test('what is in memory is what is in the ledger', async () => {
  await world.opened.ledger.drain();
  const { items } = await world.opened.store.listDecisions({}, null, 10);
  expect(items.every(({ settlement }) => settlement !== null)).toBe(true);
  expect(items).toHaveLength(10);
});
