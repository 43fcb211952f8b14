import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import models from '../../db/models.json';
import { startScenario, type Answer, type Scenario } from '../support/scenario.ts';

type Raw = {
  providers: Record<string, { models: Record<string, { price: Record<string, number>; limit: Record<string, number> }> }>;
  as_of?: string;
};

/** The list that we carry, of another day, with what the test is about. */
function listWith(change: (raw: Raw) => void, asOf = '2026-07-10'): Raw {
  const raw = structuredClone(models) as unknown as Raw;
  raw.as_of = asOf;
  change(raw);
  return raw;
}

const priced = (input: number) => (raw: Raw) => void (raw.providers['openai']!.models['gpt-4.1']!.price['input'] = input * 1_000_000_000);
const dearer = listWith(priced(3));
const cheaper = listWith(priced(1));

let scenario: Scenario;
beforeAll(async () => {
  scenario = await startScenario();
});
afterAll(() => scenario.close());

const refresh = (document: unknown, flags: object = {}) => scenario.operate('POST', '/prices/catalogue', { document, ...flags });
const rollback = (body?: object) => scenario.operate('POST', '/prices/catalogue/rollback', body);
const versions = async () => (await scenario.operate('GET', '/prices/catalogue/versions')).json['data'] as Record<string, unknown>[];
const inputNow = async () => (await scenario.operate('GET', '/prices/openai/gpt-4.1')).json['input_usd'];
const versionNow = () => scenario.gateway.catalogue.version;
const errorOf = ({ json }: Answer) => json['error'] as { reason: string; message: string; param: string | null };
const reportOf = ({ json }: Answer) => json as Record<string, unknown> & { changes: Record<string, unknown>[] };

test('at the first start the list of the binary is a version like every other', async () => {
  expect(await versions()).toMatchObject([
    { origin: 'embedded', as_of: '2026-07-02', in_force: true, kept: true, models: 761, removed: 0, lowered: 0 },
  ]);
  expect(versionNow()).toBe((await versions())[0]!['version'] as number);
});

test('refused documents name the field and change nothing', async () => {
  const before = versionNow();
  const negative = await refresh(listWith(priced(-1)));
  expect([negative.status, errorOf(negative).param]).toEqual([400, 'document.providers.openai.models["gpt-4.1"].price.input']);
  const future = await refresh(listWith(() => undefined, '2999-01-01'));
  expect([future.status, errorOf(future).param]).toEqual([400, 'document.as_of']);
  const twice = await scenario.operate('POST', '/prices/catalogue', `{"document":{"providers":{"openai":{"models":{"m":{},"m":{}}}}}}`);
  expect([twice.status, errorOf(twice).reason, errorOf(twice).param]).toEqual([400, 'duplicate_key', expect.stringContaining('m')]);
  const large = await scenario.operate('POST', '/prices/catalogue', `{"document":{"source":"${'x'.repeat(8 * 1024 * 1024)}"}}`);
  expect(large.status).toBe(413);
  expect([versionNow(), (await versions()).length]).toEqual([before, 1]);
});

test('what raises holds is in force with the next request; decisions name its version', async () => {
  const before = versionNow();
  const dry = await refresh(dearer, { dry_run: true });
  expect([dry.status, reportOf(dry)['outcome'], versionNow()]).toEqual([200, 'dry_run', before]);
  const answer = await refresh(dearer);
  expect([answer.status, answer.json]).toMatchObject([
    200,
    { outcome: 'applied', changed: 1, added: 0, removed: 0, lowered: 0, as_of: '2026-07-10' },
  ]);
  expect(reportOf(answer).changes).toEqual([
    {
      provider: 'openai',
      model: 'gpt-4.1',
      change: 'changed',
      lowers: null,
      fields: [{ field: 'input_usd', before: '2.00', after: '3.00' }],
    },
  ]);
  expect([versionNow() > before, await inputNow()]).toEqual([true, '3.00']);
  const chat = await scenario.chat(scenario.made.testKey);
  const decision = await scenario.operate('GET', `/decisions/${chat.headers.get('x-panicly-decision-id')}`);
  expect(decision.json['price_version']).toBe(versionNow());
  expect((await refresh(dearer)).json['outcome']).toBe('unchanged');
});

test('what lowers holds is refused with the list, until somebody says yes', async () => {
  const before = versionNow();
  const refused = await refresh(cheaper);
  expect([refused.status, errorOf(refused).reason, versionNow()]).toEqual([409, 'conflict', before]);
  expect(errorOf(refused).message).toContain('openai/gpt-4.1');
  const report = refused.json['report'] as Record<string, unknown> & { changes: Record<string, unknown>[] };
  // Its dated name stands for it, and holds get smaller under that as well.
  expect([report['outcome'], report['lowered'], report['changed']]).toEqual(['unconfirmed', 2, 1]);
  expect(report.changes[0]).toMatchObject({
    provider: 'openai',
    model: 'gpt-4.1',
    lowers: 'input is 3.00 USD now and would be 1.00 USD a million tokens',
  });
  expect((await refresh(cheaper, { confirm: true })).json['outcome']).toBe('applied');
  expect([await inputNow(), versionNow() > before]).toEqual(['1.00', true]);
});

test('a price that an operator set stands on every list', async () => {
  expect((await scenario.operate('PUT', '/prices/openai/gpt-4.1', { input_usd: '9' })).status).toBe(200);
  const set = versionNow();
  const quiet = await refresh(listWith(priced(0.5)), { dry_run: true });
  expect([reportOf(quiet)['lowered'], reportOf(quiet)['changed']]).toEqual([0, 0]);
  expect((await scenario.operate('DELETE', '/prices/openai/gpt-4.1?confirm=true')).status).toBe(204);
  expect([versionNow() > set, await inputNow()]).toEqual([true, '1.00']);
});

describe('the way back', () => {
  test('is a new version with the old content, asks for the same yes, and goes on from where it is', async () => {
    const [cheap, dear, first] = await versions();
    const back = await rollback();
    expect([back.status, reportOf(back)['outcome'], await inputNow()]).toEqual([200, 'applied', '3.00']);
    expect((await versions())[0]).toMatchObject({ origin: 'rollback', rolled_back_to: dear!['version'], pinned: true, in_force: true });
    expect((await rollback()).status).toBe(409);
    expect((await rollback({ confirm: true })).status).toBe(200);
    expect((await versions())[0]).toMatchObject({ rolled_back_to: first!['version'] });
    const none = await rollback({ confirm: true });
    expect([none.status, errorOf(none).message]).toEqual([409, 'There is no earlier price list.']);
    expect((await rollback({ to: cheap!['version'], confirm: true })).status).toBe(200);
    expect([(await rollback({ to: 999_999 })).status, await inputNow()]).toEqual([404, '1.00']);
  });

  test('every change has one audit event, with numbers only', async () => {
    const { data } = (await scenario.operate('GET', '/audit?limit=1000')).json as {
      data: { action: string; detail: Record<string, unknown> }[];
    };
    const events = data.filter(({ action }) => action.startsWith('prices.')).toReversed();
    expect(events.map(({ action }) => action)).toEqual([
      'prices.refresh',
      'prices.refresh',
      'prices.rollback',
      'prices.rollback',
      'prices.rollback',
    ]);
    expect(events[0]!.detail).toEqual({
      models: 761,
      added: 0,
      removed: 0,
      changed: 1,
      lowered: 0,
      as_of: '2026-07-10',
      pinned: false,
      rolled_back_to: null,
    });
  });
});

test('a request in flight is settled at the rates that it was priced with', async () => {
  const [arrived, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const usage = { prompt_tokens: 1_000_000, completion_tokens: 0, total_tokens: 1_000_000 };
  const provider = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch() {
      arrived.resolve();
      await released.promise;
      return Response.json({ choices: [{ index: 0, message: { role: 'assistant', content: '' }, finish_reason: 'stop' }], usage });
    },
  });
  const connection = { name: 'slow', kind: 'openai', base_url: `http://127.0.0.1:${provider.port}/v1`, api_key: 'sk-x' };
  expect((await scenario.operate('POST', '/projects/default/providers', connection)).status).toBe(201);
  await scenario.operate('PUT', '/projects/default/policy', { abuse: { mode: 'off' }, budgets: [] });
  const [before, price] = [versionNow(), await inputNow()];
  const answer = scenario.chat(scenario.made.liveKey, { model: 'gpt-4.1', max_tokens: 1 });
  await arrived.promise;
  expect((await refresh(listWith(priced(100)))).json['outcome']).toBe('applied');
  released.resolve();
  const { headers } = await answer;
  const { json } = await scenario.operate('GET', `/decisions/${headers.get('x-panicly-decision-id')}`);
  expect([price, json['price_version'], (json['settlement'] as { cost_usd: string }).cost_usd]).toEqual(['1.00', before, '1.00']);
  const next = await scenario.chat(scenario.made.liveKey, { model: 'gpt-4.1', max_tokens: 1 });
  expect(next.headers.get('x-panicly-cost-usd')).toBe('100.00');
  await provider.stop(true);
});

test('a restart keeps the list and its version, and the last 20 documents are there to go back to', async () => {
  for (let round = 0; round < 21; round++) expect((await refresh(listWith(priced(4 + round)), { confirm: true })).status).toBe(200);
  const [before, price] = [versionNow(), await inputNow()];
  scenario = await scenario.restart();
  expect([versionNow(), await inputNow()]).toEqual([before, price]);
  const all = await versions();
  expect(all.map(({ kept }) => kept)).toEqual(all.map((_, index) => index < 20));
  const gone = await rollback({ to: all.at(-1)!['version'], confirm: true });
  expect([gone.status, errorOf(gone).message]).toEqual([409, expect.stringContaining('not kept any more')]);
  expect(await scenario.problems()).toEqual([]);
});
