import { expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { tomlText } from '../../../src/cli/toml-write.ts';
import { startScenario, type Scenario } from '../../support/scenario.ts';

/** What was exported from one server and applied to an empty one is exported from there byte by byte the same. */

/** Each starts two servers. PANICLY_ROUND_TRIP_RUNS looks for longer. */
const RUNS = Number(process.env['PANICLY_ROUND_TRIP_RUNS'] ?? 2);

const name = fc.oneof(
  fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((text) => text.isWellFormed() && !text.includes('\0')),
);
const uniqueNames = (maxLength: number) => fc.uniqueArray(name, { minLength: 1, maxLength });
const usd = fc.oneof(
  fc.integer({ min: 0, max: 99_999 }).map((cents) => (cents / 100).toFixed(2)),
  fc.constant(null),
);
const mode = fc.constantFrom('off', 'observe', 'enforce');
const countOrNone = fc.option(fc.integer({ min: 0, max: 10_000 }), { nil: null });
const networks = fc.uniqueArray(fc.constantFrom('203.0.113.0/24', '2001:db8::/32', '192.0.2.7'), { maxLength: 3 });
const patterns = fc.uniqueArray(fc.constantFrom('gpt-4.1*', 'o1', 'text-embedding-3-*', 'llama*'), { maxLength: 3 });

const budget = (scopes: readonly string[]) =>
  fc
    .record({
      scope: fc.constantFrom(...scopes),
      period: fc.constantFrom('day', 'week', 'month', 'total', 'rolling'),
      limit_usd: usd,
      mode,
    })
    .map((one) => (one.period === 'rolling' ? { ...one, window_seconds: 3_600 } : one));

const policy = fc.record(
  {
    network: fc.record({ mode, allow: networks, block: networks }, { requiredKeys: [] }),
    region: fc.record({ mode, block: fc.constant(['KP', 'region:home']), define: fc.constant({ home: ['DE', 'FR'] }) }),
    models: fc.record({ mode, allow: patterns }, { requiredKeys: [] }),
    burst: fc.record(
      { mode, requests: countOrNone, key_requests: countOrNone, window_seconds: fc.integer({ min: 1, max: 3_600 }) },
      { requiredKeys: [] },
    ),
    abuse: fc.record({ limit_usd: usd, per: fc.constantFrom('key', 'project', 'sender', 'user') }, { requiredKeys: [] }),
    budgets: fc.array(budget(['key', 'user', 'project']), { maxLength: 3 }),
    pricing: fc.record(
      {
        max_hold_share: fc.constantFrom(0.01, 0.25, 1),
        unknown_model_price: fc.constant({ input_usd_per_million: '1', output_usd_per_million: '2.5' }),
        tool_prices: fc.dictionary(fc.stringMatching(/^[a-z_.-]{1,10}$/), fc.constantFrom('0', '0.0125'), { maxKeys: 2 }),
      },
      { requiredKeys: [] },
    ),
    retryable_status: fc.constantFrom(403, 429),
  },
  { requiredKeys: [] },
);

const provider = fc.oneof(
  fc.record(
    { kind: fc.constantFrom('openai', 'anthropic', 'groq'), api_key_env: fc.constantFrom('A_KEY', 'B_KEY'), models: patterns },
    { requiredKeys: ['kind'] },
  ),
  fc.record({ kind: fc.constant('custom'), base_url: fc.constantFrom('https://llm.example.com/v1', 'http://127.0.0.1:11434/v1') }),
);

const project = fc
  .tuple(fc.option(policy, { nil: undefined }), uniqueNames(3), fc.array(provider, { maxLength: 3 }))
  .map(([document, names, providers]) => ({
    ...(document === undefined ? {} : { policy: document }),
    providers: providers.slice(0, names.length).map((one, index) => ({ name: names[index]!, ...one })),
  }));

const workspace = fc.record(
  {
    plan: fc.constantFrom('free', 'plus', 'unlimited'),
    policy: fc.record(
      { budgets: fc.array(budget(['workspace', 'key']), { maxLength: 2 }), network: fc.record({ block: networks }) },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);
const custom = fc.record({ plan: fc.constant('custom'), included_requests: fc.option(fc.nat(1_000), { nil: null }) });

const configuration = fc
  .record({
    workspaces: fc.tuple(uniqueNames(3), fc.array(fc.oneof(workspace, custom), { minLength: 3, maxLength: 3 })),
    projects: fc.tuple(uniqueNames(4), fc.array(project, { minLength: 4, maxLength: 4 }), fc.nat()),
    prices: fc.uniqueArray(fc.constantFrom('house/one', 'Two', 'three:free'), { maxLength: 3 }),
    alert: fc.record({
      thresholds: fc.constantFrom([50], [10, 90]),
      format: fc.constantFrom('generic', 'slack'),
      url_env: fc.constant('ROUND_TRIP_HOOK'),
    }),
  })
  .map(({ workspaces: [names, bodies], projects: [projectNames, projects, spread], prices, alert }) => ({
    workspaces: names.map((one, index) => ({ name: one, ...bodies[index]! })),
    projects: projectNames.map((one, index) => ({ name: one, workspace: names[(spread + index) % names.length]!, ...projects[index]! })),
    prices: prices.map((model) => ({ provider: 'openai', model, input_usd: '1.5', output_usd: '3', context_tokens: 8_000 })),
    alerts: [{ name: 'spend', workspace: names[0]!, ...alert }],
  }));

async function applied(scenario: Scenario, document: unknown): Promise<void> {
  const answer = await scenario.operate('PUT', '/configuration', document);
  if (answer.status !== 200) throw new Error(answer.text);
}

async function exported(scenario: Scenario, query = ''): Promise<string> {
  return tomlText((await scenario.operate('GET', `/configuration${query}`)).json['configuration'] as object);
}

test(
  'export, apply on an empty server, export: the same bytes; and apply on the first one changes nothing',
  async () => {
    process.env['ROUND_TRIP_HOOK'] = 'https://hooks.example.com/x';
    await fc.assert(
      fc.asyncProperty(configuration, fc.boolean(), async (document, isFull) => {
        const [first, second] = await Promise.all([startScenario(), startScenario()]);
        try {
          await applied(first, document);
          const text = await exported(first, isFull ? '?full=true' : '');
          await applied(second, Bun.TOML.parse(text));
          expect(await exported(second, isFull ? '?full=true' : '')).toBe(text);
          const again = await first.operate('PUT', '/configuration?dry_run=true&prune=true', Bun.TOML.parse(text));
          expect([again.json['changes'], again.json['not_in_file']]).toEqual([[], []]);
          expect([first.failures, second.failures]).toEqual([[], []]);
        } finally {
          await Promise.all([first.close(), second.close()]);
        }
      }),
      { numRuns: RUNS },
    );
    delete process.env['ROUND_TRIP_HOOK'];
  },
  RUNS * 15_000,
);

test('TOML that was written is read as the same document', () => {
  fc.assert(
    fc.property(configuration, (document) => {
      const withWord = JSON.parse(JSON.stringify(document, (_, value: unknown) => (value === null ? 'unlimited' : value))) as object;
      expect(Bun.TOML.parse(tomlText(document))).toEqual(withWord);
    }),
    { numRuns: 200 },
  );
});
