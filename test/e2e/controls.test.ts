import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { DecisionJson } from '../../src/http/schemas/operator.ts';
import { eventually, OPEN_POLICY, runPanicly, startPanicly, type Panicly } from '../support/binary.ts';
import { chatCompletion, startMockProvider, type MockProvider } from '../support/mock-provider.ts';
import { chatEnd, chatEvent, startSteppingProvider, type SteppingProvider } from '../support/stepping-provider.ts';

/** Controls as a client and an operator meet them: through the built program. */

let server: Panicly;
let mock: MockProvider;
let stepping: SteppingProvider;

beforeAll(async () => {
  [server, mock, stepping] = await Promise.all([startPanicly(), startMockProvider(), startSteppingProvider()]);
  await server.connect(stepping, { name: 'stepping', models: ['step'] });
  await server.connect(mock, { kind: 'openai' });
  mock.behave(chatCompletion());
});
afterAll(async () => {
  await Promise.all([server.kill(), mock.close(), stepping.close()]);
});

const policy = (change: object) => server.policy({ ...OPEN_POLICY, ...change });
const chat = (change: object = {}) => ({ model: 'gpt-4.1-mini', messages: [{ role: 'user', content: 'Hi' }], ...change });
const ask = (change: object = {}) => server.post('/v1/chat/completions', server.liveKey, chat(change));

/** Status, code, and what a client's retry logic reads. */
async function told(response: Response): Promise<unknown[]> {
  const body = (await response.json()) as { error?: { code: string } };
  return [response.status, body.error?.code ?? null, response.headers.get('retry-after'), response.headers.get('x-should-retry')];
}
const PASSED = [200, null, null, null];

/** The body that arrived at the provider last. */
const forwarded = () => mock.seen.at(-1)!.json() as Record<string, unknown>;

describe('token guard', () => {
  const rows: readonly [string, object, object, string | null, object][] = [
    ['a greater cap becomes the limit', {}, { max_tokens: 500 }, '50', { max_tokens: 50 }],
    ['the same in the newer field', {}, { max_completion_tokens: 500 }, '50', { max_completion_tokens: 50 }],
    ['no cap becomes the limit', {}, {}, '50', { max_completion_tokens: 50 }],
    ['a cap at the limit stays', {}, { max_tokens: 50 }, null, { max_tokens: 50 }],
    ['a smaller cap stays', {}, { max_tokens: 7 }, null, { max_tokens: 7 }],
    ['choices share the limit', {}, { max_tokens: 500, n: 2 }, '25', { max_tokens: 25, n: 2 }],
    ['observe changes nothing', { mode: 'observe' }, { max_tokens: 500 }, null, { max_tokens: 500 }],
    ['off changes nothing', { mode: 'off' }, {}, null, {}],
  ];
  test.each(rows)('clamps: %s', async (_, section, body, cap, sent) => {
    await policy({ token_guard: { max_output_tokens: 50, ...section } });
    const response = await ask(body);
    expect(await told(response)).toEqual(PASSED);
    expect(response.headers.get('x-panicly-output-cap')).toBe(cap);
    const { model: _model, messages: _messages, service_tier: _tier, ...rest } = forwarded();
    expect(rest).toEqual({ ...sent });
  });

  test('clamps Responses, and the row says what was put in', async () => {
    await policy({ token_guard: { max_output_tokens: 50 } });
    const response = await server.post('/v1/responses', server.liveKey, { model: 'gpt-4.1-mini', input: 'Hi', max_output_tokens: 400 });
    expect([response.status, response.headers.get('x-panicly-output-cap')]).toEqual([200, '50']);
    expect(forwarded()['max_output_tokens']).toBe(50);
    expect((await server.settled(response.headers.get('x-panicly-decision-id')!)).output_cap).toBe(50);
  });

  test.each([
    ['output', { max_output_tokens: 50, on_output_exceed: 'block' }, { max_tokens: 51 }],
    ['input', { max_input_tokens: 5 }, { messages: [{ role: 'user', content: 'many words '.repeat(20) }] }],
    ['total', { max_total_tokens: 40, on_output_exceed: 'block' }, { max_tokens: 60 }],
  ])('blocks %s, and no retry helps', async (_, section, body) => {
    await policy({ token_guard: section, retryable_status: 429 });
    const before = mock.seen.length;
    expect(await told(await ask(body))).toEqual([403, 'token_guard', null, 'false']);
    expect(mock.seen.length).toBe(before);
  });
});

describe('loop guard', () => {
  const LIMITED = { loop_guard: { repeats: 3, window_seconds: 60 }, retryable_status: 429 };
  const messages = [{ role: 'user', content: 'the same again' }];

  test('the same payload, whatever does not matter, is stopped; another one is not', async () => {
    await policy(LIMITED);
    const same = [
      { messages },
      { messages: [{ content: 'the same again', role: 'user' }], seed: 7, user: 'ada', metadata: { run: '1' } },
      { messages, temperature: 0.3, top_p: 0.9, model: 'gpt-4.1' },
    ];
    for (const body of same) expect(await told(await ask(body))).toEqual(PASSED);
    for (const body of [...same, { messages, stream: true, seed: 8 }])
      expect(await told(await ask(body))).toEqual([403, 'loop_guard', null, 'false']);
    expect(await told(await ask({ messages: [{ role: 'user', content: 'another one' }] }))).toEqual(PASSED);
  });

  /** A conversation in which the last tool call was made `times` times: once, and the rest are repeats. */
  const looping = (times: number, vary = false): object[] =>
    Array.from({ length: times }, (_, index) => [
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          {
            id: `call_${index}`,
            type: 'function',
            function: { name: 'read', arguments: JSON.stringify({ path: vary ? `${index}` : 'a' }) },
          },
        ],
      },
      { role: 'tool', tool_call_id: `call_${index}`, content: `nothing ${index}` },
    ]).flat();

  test('a conversation that repeats its last tool call is stopped at the first request; one that goes on is not', async () => {
    await policy(LIMITED);
    const start = { role: 'user', content: `task ${Bun.nanoseconds()}` };
    expect(await told(await ask({ messages: [start, ...looping(3)] }))).toEqual(PASSED);
    expect(await told(await ask({ messages: [start, ...looping(4)] }))).toEqual([403, 'loop_guard', null, 'false']);
    expect(await told(await ask({ messages: [start, ...looping(30, true)] }))).toEqual(PASSED);
  });

  test('the same in the items of Responses', async () => {
    await policy(LIMITED);
    const items = (times: number): object[] =>
      Array.from({ length: times }, (_, index) => [
        { type: 'function_call', id: `fc_${index}`, call_id: `call_${index}`, name: 'read', arguments: '{"path":"a"}' },
        { type: 'function_call_output', call_id: `call_${index}`, output: 'nothing' },
      ]).flat();
    const send = (times: number) =>
      server.post('/v1/responses', server.liveKey, { model: 'gpt-4.1-mini', input: [{ role: 'user', content: 'go' }, ...items(times)] });
    expect((await send(3)).status).toBe(200);
    expect(await told(await send(4))).toEqual([403, 'loop_guard', null, 'false']);
  });
});

describe.each([403, 429] as const)('concurrency with retryable_status %d', (status) => {
  test.each(['requests', 'key_requests'])('%s: the third waits until one of the two has ended', async (field) => {
    await policy({ concurrency: { requests: null, [field]: 2 }, retryable_status: status });
    const open = async () => {
      const pending = ask({ model: 'step', stream: true });
      const step = await stepping.next();
      step.send(chatEvent('word'));
      return { step, response: await pending };
    };
    const [first, second] = [await open(), await open()];
    expect(await told(await ask())).toEqual([status, 'concurrency_limit', '1', 'true']);
    first.step.send(chatEnd(1, 1));
    first.step.end();
    expect(await first.response.text()).toContain('[DONE]');
    await eventually('one may go', async () => (await ask()).status === 200);
    await second.response.body!.cancel();
    await second.step.closed;
    await eventually('nothing is in flight', async () => (await server.metric('panicly_requests_in_flight')) === 0);
  });
});

describe('regions', () => {
  const put = async (region: object) =>
    await server.operator(`/projects/${await server.projectId()}/policy`, { method: 'PUT', body: { ...OPEN_POLICY, region } });

  test.each([
    ['unknown senders are let in by default', {}, PASSED],
    ['and kept out when the policy says so', { unknown: 'block' }, [403, 'region_blocked', null, 'false']],
    ['an allow list makes unknown a deny', { allow: ['region:europe'] }, [403, 'region_blocked', null, 'false']],
    ['a block list does not', { block: ['region:europe', 'region:mine'], define: { mine: ['US'] } }, PASSED],
  ])('%s', async (_, region, answer) => {
    expect((await put(region)).status).toBe(200);
    expect(await told(await ask())).toEqual(answer);
  });

  test.each([
    ['region.block.0', { block: ['region:nowhere'] }],
    ['region.allow.1', { allow: ['DE', 'de'] }],
    ['region.define.mine.0', { define: { mine: ['XX'] }, block: ['region:mine'] }],
    ['region.unknown', { unknown: 'deny' }],
    ['region.define.Mine', { define: { Mine: ['DE'] } }],
  ])('%s is named when it is wrong', async (param, region) => {
    const response = await put(region);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param: expect.stringContaining(param) } });
  });
});

test('who would have been stopped: by the API and the command line', async () => {
  await policy({ models: { mode: 'observe', block: ['gpt-4.1-nano'] }, token_guard: { mode: 'observe', max_input_tokens: 1 } });
  const hit = await ask({ model: 'gpt-4.1-nano' });
  expect(await told(hit)).toEqual(PASSED);
  const id = hit.headers.get('x-panicly-decision-id')!;
  await server.settled(id);
  await policy({});
  const miss = (await ask({ model: 'gpt-4.1-nano' })).headers.get('x-panicly-decision-id')!;
  await server.settled(miss);

  const listed = await server.decisions('&observed=true');
  expect(listed.map((row) => row.id)).toContain(id);
  expect(listed.map((row) => row.id)).not.toContain(miss);
  const { observed, decision, reason } = await server.decision(id);
  expect([decision, reason]).toEqual(['allow', null]);
  expect(observed.map(({ control, observed: seen }) => [control, seen])).toEqual([
    ['models', 'gpt-4.1-nano'],
    ['token_guard', expect.stringContaining('token')],
  ]);

  const env = { PANICLY_URL: server.url, PANICLY_DATA: server.dataDir };
  const printed = await runPanicly(['requests', 'list', '--observed', '--json'], { env });
  expect([printed.code, printed.stderr]).toEqual([0, '']);
  const page = JSON.parse(printed.stdout) as DecisionJson[] | { data: DecisionJson[] };
  const rows = Array.isArray(page) ? page : page.data;
  expect(rows.map((row) => row.id)).toEqual(listed.map((row) => row.id));
  const shown = await runPanicly(['requests', 'show', id], { env });
  expect(shown.stdout).toContain('block gpt-4.1-nano');
});
