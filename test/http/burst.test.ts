import { afterEach, describe, expect, test } from 'bun:test';
import { startScenario, TestClock, type Answer, type Scenario } from '../support/scenario.ts';

/** Burst protection as a client sees it, on a clock that stands still until the test moves it. */

class StandingClock extends TestClock {
  readonly #startMs = Date.UTC(2026, 10, 22, 12);
  #passed = 0;

  override nowMs(): number {
    return this.#startMs + this.#passed;
  }

  override monotonicMs(): number {
    return this.#passed;
  }

  override pass(ms: number): void {
    this.#passed += ms;
  }
}

const clock = new StandingClock();
let scenario: Scenario;
afterEach(() => scenario.close());

const OFF = { loop_guard: { mode: 'off' }, concurrency: { mode: 'off' }, abuse: { mode: 'off' }, budgets: [] };

async function start(policy: object): Promise<void> {
  scenario = await startScenario(clock);
  await store(policy);
}

async function store(policy: object): Promise<void> {
  const [project] = (await scenario.operate('GET', '/projects')).json['data'] as { id: string }[];
  expect((await scenario.operate('PUT', `/projects/${project!.id}/policy`, { ...OFF, ...policy })).status).toBe(200);
}

/** What a client's retry logic reads. */
const told = ({ status, headers }: Answer) => [status, headers.get('retry-after'), headers.get('x-should-retry')];
const ask = async (): Promise<Answer> => await scenario.chat(scenario.made.testKey);
const PASSED = [200, null, null];

describe.each([403, 429] as const)('retryable_status %d', (status) => {
  test('three in ten seconds: the fourth waits for the first to leave, to the millisecond', async () => {
    await start({ burst: { requests: 3, window_seconds: 10 }, retryable_status: status });
    for (const pauseMs of [0, 2_000, 3_000]) {
      clock.pass(pauseMs);
      expect(told(await ask())).toEqual(PASSED);
    }
    const refused = await ask();
    expect(told(refused)).toEqual([status, '5', 'true']);
    expect(refused.json).toMatchObject({ error: { type: 'policy_blocked', code: 'burst_protection' } });
    clock.pass(4_999);
    expect(told(await ask())).toEqual([status, '1', 'true']);
    clock.pass(1);
    expect(told(await ask())).toEqual(PASSED);
    expect(told(await ask())).toEqual([status, '2', 'true']);
    clock.pass(1_999);
    expect(told(await ask())).toEqual([status, '1', 'true']);
    clock.pass(1);
    expect(told(await ask())).toEqual(PASSED);
    clock.pass(10_000);
    for (let count = 0; count < 3; count++) expect(told(await ask())).toEqual(PASSED);
    expect(told(await ask())).toEqual([status, '10', 'true']);
  });

  test('a limit of 0 is no matter of time', async () => {
    await start({ burst: { requests: 0 }, retryable_status: status });
    expect(told(await ask())).toEqual([403, null, 'false']);
  });

  test('what only a person can change stays a 403', async () => {
    await start({ burst: { mode: 'off' }, models: { block: ['gpt-4.1-mini'] }, retryable_status: status });
    expect(told(await ask())).toEqual([403, null, 'false']);
  });
});

test('refused requests take no room, and a policy that is stored later judges what was before', async () => {
  await start({ burst: { requests: 2, window_seconds: 60 } });
  for (const expected of [200, 200, 403, 403, 403]) expect((await ask()).status).toBe(expected);
  clock.pass(60_000);
  for (const expected of [200, 200, 403]) expect((await ask()).status).toBe(expected);
  await store({ burst: { requests: 3, window_seconds: 60 } });
  for (const expected of [200, 403]) expect((await ask()).status).toBe(expected);
  await store({ burst: { requests: 3, window_seconds: 1 } });
  clock.pass(1_000);
  expect((await ask()).status).toBe(200);
});

test('the window lives through a restart', async () => {
  await start({ burst: { requests: 2, window_seconds: 60 } });
  for (const expected of [200, 200, 403]) expect((await ask()).status).toBe(expected);
  clock.pass(59_000);
  scenario = await scenario.restart();
  expect(told(await ask())).toEqual([403, '1', 'true']);
  clock.pass(1_000);
  expect(told(await ask())).toEqual(PASSED);
});

test('a key has its own, and another key has room', async () => {
  await start({ burst: { requests: null, key_requests: 1, window_seconds: 60 } });
  const [project] = (await scenario.operate('GET', '/projects')).json['data'] as { id: string }[];
  const made = await scenario.operate('POST', `/projects/${project!.id}/keys`, { name: 'other', environment: 'test' });
  for (const key of [scenario.made.testKey, made.json['key'] as string])
    for (const expected of [200, 403]) expect((await scenario.chat(key)).status).toBe(expected);
});
