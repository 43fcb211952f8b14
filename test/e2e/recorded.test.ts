import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { ledgerDifferences } from '../support/ledger-file.ts';
import { usageDifferences, withShownUsage } from '../support/replay-ledger.ts';
import { ARRIVALS, readRecordings, ReplayStage, type Played } from '../support/replay.ts';

/** Exchanges that we wrote in the shapes of real providers, through the binary: what the provider says is what the client gets (I6). */
const folder = join(import.meta.dir, '../fixtures/recorded');
const FILES = ['chat', 'streams', 'responses', 'embeddings', 'errors'] as const;
const recordings = FILES.flatMap((name) => readRecordings(join(folder, `${name}.jsonl`)));
const cases = ARRIVALS.flatMap((arrival) => recordings.map((recording) => ({ arrival, recording, name: recording.name })));

/** The only ones that may not come through as they are. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'background is refused before it is sent': 'background: true is refused: its usage would never pass us',
  'a 401 that is about our key': "a provider's 401 is about our key, not the client's",
};

describe('recorded exchanges', () => {
  let stage: ReplayStage;
  const played: Played[] = [];

  beforeAll(async () => {
    stage = await ReplayStage.open(recordings.map(({ host }) => host));
  });
  afterAll(async () => {
    await stage.close();
  });

  test.each(cases)('$name, by $arrival', async ({ arrival, recording }) => {
    const one = await stage.play(recording, arrival);
    played.push(one);
    expect(one.wrong).toEqual([]);
    expect(one.exception).toBe(EXCEPTIONS[recording.name] ?? null);
  });

  test('an answer with one byte more would be noticed', async () => {
    const recording = recordings.find(({ name }) => name === 'openai stream, usage not asked for')!;
    // The provider is asked for usage, so it says what it always does; only what has to reach the client is another.
    const one = await stage.play({ ...recording, body: Buffer.concat([recording.body, Buffer.from(' ')]) }, 'event');
    expect(one.wrong).toHaveLength(1);
    expect(one.wrong[0]).toStartWith('the body differs at byte');
  });

  test('afterwards every decision has one settlement, with the usage that the answer showed', async () => {
    expect(await stage.panicly.stop()).toBe(0);
    expect(ledgerDifferences(stage.ledger)).toEqual([]);
    expect(withShownUsage(played).length).toBeGreaterThan(100);
    expect(usageDifferences(stage.ledger, played)).toEqual([]);
  });
});
