import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { AGENT_BODIES } from '../../support/agent-bodies.ts';
import { jsonAnswer, responseOf, World, type FakeUpstream } from '../../support/gateway.ts';
import { factsOf } from '../../support/facts.ts';

/** Today's coding agents do a normal task under the policy that a project is born with. */

const USAGE = { prompt_tokens: 9_000, completion_tokens: 60, total_tokens: 9_060, input_tokens: 9_000, output_tokens: 60 };

const PROVIDERS = [
  ['openai', 'gpt-5.1'],
  ['openrouter', 'openai/gpt-5.1'],
] as const;

describe.each(AGENT_BODIES.map((agent) => [agent.name, agent] as const))('%s', (_, { route, body }) => {
  test('holds nothing that is unknown', () => {
    const facts = factsOf(route, { ...body });
    expect([facts.unknownFields, facts.storedReferences]).toEqual([[], []]);
    expect(facts.hostedTools).toEqual(route === 'responses' ? ['web_search'] : []);
  });

  // Codex speaks to OpenAI alone: the search that it names has a price nowhere else.
  test.each(PROVIDERS.filter(([kind]) => route === 'chat' || kind === 'openai'))(
    'passes at %s, and arrives with everything that was in it',
    async (kind, model) => {
      const world = await World.open({ policy: {}, kind });
      world.upstream.reply = () => jsonAnswer(200, { usage: USAGE });
      const asked = { ...body, model };
      await responseOf(await world.call(asked, { route })).text();
      expectKept(world.upstream, asked);
      await world.close();
    },
  );
});

/** The members that we put in are additions: every other one is as the agent wrote it. */
function expectKept(upstream: FakeUpstream, body: Readonly<Record<string, unknown>>): void {
  expect(upstream.arrived).toHaveLength(1);
  const added = ['service_tier', 'max_output_tokens', 'max_tool_calls', 'provider', 'max_completion_tokens'];
  const sent = upstream.body(0);
  for (const name of added) if (!(name in body)) delete sent[name];
  expect(sent).toEqual({ ...body });
}

describe('a day of work', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open({ policy: {} });
    world.upstream.reply = () => jsonAnswer(200, { usage: USAGE });
  });
  afterAll(() => world.close());

  test('every agent asks again and again, one after the other, and is never refused before the money is spent', async () => {
    for (let round = 0; round < 10; round++)
      for (const { route, body } of AGENT_BODIES) await responseOf(await world.call(body, { route })).text();
    expect(world.upstream.arrived).toHaveLength(10 * AGENT_BODIES.length);
    expect(world.settlements.every(({ basis, overrun }) => basis === 'reported' && !overrun)).toBe(true);
  });
});
