import { describe, expect, test } from 'bun:test';
import { UpstreamBroken } from '../../../src/upstream/upstream.ts';
import { simulatorRates } from '../../../src/upstream/simulator/rates.ts';
import { SILENT_MS, SLOW_MS } from '../../../src/upstream/simulator/triggers.ts';
import { answered, ask, endlessDelay, InstantDelay, instantSimulator, rejection, textOf } from './serve.ts';

const chat = (model: string, more: object = {}) => ({ model, messages: [{ role: 'user', content: 'hello' }], ...more });
const usageOf = (text: string) => (JSON.parse(text) as { usage?: Record<string, number> }).usage;
const ROUTES = ['/chat/completions', '/responses', '/embeddings'] as const;

function bodyFor(route: string, model: string, more: object = {}): object {
  return route === '/chat/completions' ? chat(model, more) : { model, input: 'hello', ...more };
}

describe('trigger models', () => {
  test.each(ROUTES)('sim-no-usage on %s', async (route) => {
    const simulator = instantSimulator();
    expect(usageOf(await textOf(await simulator.send(ask(route, bodyFor(route, 'sim-no-usage')))))).toBeFalsy();
    expect(usageOf(await textOf(await simulator.send(ask(route, bodyFor(route, 'ordinary')))))).toBeTruthy();
  });

  test('sim-no-usage in a stream that asks for usage', async () => {
    const body = chat('sim-no-usage', { stream: true, stream_options: { include_usage: true } });
    expect(await textOf(await instantSimulator().send(ask('/chat/completions', body)))).not.toContain('"usage"');
  });

  test.each([
    ['sim-slow', SLOW_MS],
    ['sim-silent', SILENT_MS],
  ] as const)('%s waits %i ms: before the headers, or in a stream after the first event', async (model, waitMs) => {
    for (const stream of [false, true]) {
      const delay = new InstantDelay();
      const simulator = instantSimulator({ delay: delay.wait, tokenPauseMs: 0 });
      const answer = answered(await simulator.send(ask('/chat/completions', chat(model, { stream }))));
      expect(delay.waits).toEqual(stream ? [] : [waitMs]);
      await answer.read();
      expect(delay.waits).toEqual(stream ? [] : [waitMs]);
      await answer.read();
      expect(delay.waits).toEqual([waitMs]);
    }
  });

  test('the limits of the request hold here too', async () => {
    const simulator = instantSimulator();
    expect(await simulator.send(ask('/chat/completions', chat('sim-silent'), { firstByteMs: 1_000 }))).toEqual({
      kind: 'timeout',
      code: 'watchdog',
      mayHaveBilled: true,
    });
    const stream = answered(await simulator.send(ask('/chat/completions', chat('sim-silent', { stream: true }), { idleMs: 1_000 })));
    await stream.read();
    expect(await rejection(stream.read())).toMatchObject({ name: 'UpstreamBroken', kind: 'timeout' });
  });

  test.each(ROUTES.flatMap((route) => [[route, false] as const, ...(route === '/embeddings' ? [] : [[route, true] as const])]))(
    'sim-cut on %s, stream %p',
    async (route, stream) => {
      const answer = answered(await instantSimulator().send(ask(route, bodyFor(route, 'sim-cut', { stream }))));
      expect(answer.status).toBe(200);
      expect(await answer.read()).not.toBeNull();
      const broken = await rejection(textOf(answer));
      expect(broken).toBeInstanceOf(UpstreamBroken);
      expect(broken).toMatchObject({ kind: 'interrupted' });
      expect(await rejection(answer.read())).toBe(broken);
    },
  );

  test('sim-long makes 2,000 tokens', async () => {
    expect(usageOf(await textOf(await instantSimulator().send(ask('/chat/completions', chat('sim-long')))))).toMatchObject({
      completion_tokens: 2_000,
    });
  });

  test('sim-overrun claims more than input bytes and cap can cost', async () => {
    const body = chat('sim-overrun', { max_completion_tokens: 100, n: 2 });
    const usage = usageOf(await textOf(await instantSimulator().send(ask('/chat/completions', body))))!;
    expect(usage['completion_tokens']).toBeGreaterThan(200);
    expect(usage['prompt_tokens']).toBeGreaterThan(JSON.stringify(body).length);
    const uncapped = usageOf(await textOf(await instantSimulator().send(ask('/chat/completions', chat('sim-overrun')))))!;
    expect(uncapped['completion_tokens']).toBeGreaterThan(simulatorRates.outputLimit);
  });

  test('sim-tools without tools calls one of its own', async () => {
    const text = await textOf(await instantSimulator().send(ask('/chat/completions', chat('openai/SIM-TOOLS'))));
    expect(text).toContain('"name":"get_weather","arguments":"{\\"location\\":\\"Lisbon\\"}"');
  });

  test('a long prompt is partly cached', async () => {
    const messages = [{ role: 'user', content: 'a'.repeat(8_192) }];
    const text = await textOf(await instantSimulator().send(ask('/chat/completions', { model: 'm', messages })));
    expect(text).toContain('"prompt_tokens":2048');
    expect(text).toContain('"cached_tokens":1024');
  });
});

describe('aborts', () => {
  test('before, while the headers are awaited, and in the stream', async () => {
    const simulator = instantSimulator({ delay: endlessDelay });
    expect(await simulator.send(ask('/chat/completions', chat('m'), { signal: AbortSignal.abort() }))).toMatchObject({
      kind: 'aborted',
      mayHaveBilled: false,
    });
    const client = new AbortController();
    const pending = simulator.send(ask('/chat/completions', chat('sim-slow'), { signal: client.signal }));
    client.abort();
    expect(await pending).toMatchObject({ kind: 'aborted', mayHaveBilled: true });
    for (const by of ['signal', 'abort'] as const) {
      const client = new AbortController();
      const answer = answered(
        await simulator.send(ask('/responses', { model: 'sim-silent', input: 'x', stream: true }, { signal: client.signal })),
      );
      await answer.read();
      const read = answer.read();
      if (by === 'signal') client.abort();
      else answer.abort();
      expect(await rejection(read)).toMatchObject({ name: 'UpstreamBroken', kind: 'aborted' });
    }
  });

  test('real timers work and end early on abort', async () => {
    const { simulatorUpstream } = await import('../../../src/upstream/simulator/simulator.ts');
    const simulator = simulatorUpstream({ nowMs: () => 0 });
    expect(await textOf(await simulator.send(ask('/chat/completions', chat('m', { stream: true }))))).toEndWith('data: [DONE]\n\n');
    const client = new AbortController();
    const pending = simulator.send(ask('/chat/completions', chat('sim-silent'), { signal: client.signal }));
    client.abort();
    expect(await pending).toMatchObject({ kind: 'aborted' });
  });
});

describe('odd requests', () => {
  const rows: readonly [string, string, unknown][] = [
    ['an unknown route', '/images', {}],
    ['a body that is null', '/chat/completions', null],
  ];
  test.each(rows)('%s is a 400', async (_, route, body) => {
    expect(answered(await instantSimulator().send(ask(route, body))).status).toBe(400);
  });

  test.each([
    {},
    { messages: 5 },
    { messages: [null, 3, { content: [null, { text: 4 }] }] },
    { tools: [null], tool_choice: 'required' },
    { n: -1 },
    { stream_options: 3 },
  ])('%j does not throw', async (odd) => {
    for (const route of ROUTES) expect(answered(await instantSimulator().send(ask(route, odd))).status).toBe(200);
  });
});
