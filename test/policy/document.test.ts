import { describe, expect, test } from 'bun:test';
import { defaultPolicy, defaultWorkspacePolicy, parsePolicy, parseWorkspacePolicy, PolicyProblem } from '../../src/policy/document.ts';
import { compiled } from '../support/policies.ts';

test('a new project is born with safe limits', () => {
  expect(defaultPolicy()).toEqual({
    sentry: { cut_streams: true },
    network: { mode: 'enforce', allow: [], block: [] },
    region: { mode: 'enforce', allow: [], block: [], unknown: 'allow', define: {} },
    models: { mode: 'enforce', allow: [], block: [] },
    burst: { mode: 'enforce', requests: 600, key_requests: null, window_seconds: 60 },
    abuse: { mode: 'enforce', limit_usd: '5.00', key_limit_usd: null, window_seconds: 3600, per: 'key' },
    token_guard: {
      mode: 'enforce',
      max_input_tokens: 400_000,
      max_output_tokens: 128_000,
      max_total_tokens: null,
      on_output_exceed: 'clamp',
    },
    loop_guard: { mode: 'enforce', repeats: 30, window_seconds: 60 },
    concurrency: { mode: 'enforce', requests: 200, key_requests: null },
    budgets: [{ scope: 'project', period: 'day', limit_usd: '10.00', mode: 'enforce' }],
    pricing: {
      max_hold_share: 0.2,
      unknown_model_price: null,
      allow_fields: [],
      tool_prices: {},
      max_tool_calls: 5,
      allow_stored_references: false,
    },
    retryable_status: 403,
  });
  expect(defaultWorkspacePolicy()).toEqual({ network: { mode: 'enforce', allow: [], block: [] }, budgets: [] });
});

test('two defaults share nothing', () => {
  const document = defaultPolicy();
  document.budgets.length = 0;
  document.network.block.push('10.0.0.0/8');
  expect(defaultPolicy().budgets).toHaveLength(1);
  expect(defaultPolicy().network.block).toEqual([]);
});

test('what is left out takes its default, what is there stays, and reading twice changes nothing', () => {
  const given = { burst: { requests: 5 }, budgets: [], region: { block: ['KP', 'region:eu', 'region:own'], define: { own: ['DE'] } } };
  const parsed = parsePolicy(given);
  expect(parsed).toMatchObject({ burst: { requests: 5, window_seconds: 60, mode: 'enforce' }, budgets: [], abuse: { limit_usd: '5.00' } });
  expect(parsePolicy(parsed)).toEqual(parsed);
  expect(given).toEqual({
    burst: { requests: 5 },
    budgets: [],
    region: { block: ['KP', 'region:eu', 'region:own'], define: { own: ['DE'] } },
  });
});

describe('what is wrong is refused with its path', () => {
  const budget = { scope: 'project', period: 'day', limit_usd: '1' };
  const rows: [path: string, words: string, document: unknown][] = [
    ['', 'JSON object', null],
    ['', 'JSON object', []],
    ['', 'JSON object', 'policy'],
    ['budget', 'not known', { budget: [] }],
    ['burst.request', 'not known', { burst: { request: 1 } }],
    ['budgets.0.limit', 'not known', { budgets: [{ ...budget, limit: 1 }] }],
    ['budgets.1.limit_usd', '0 or more', { budgets: [budget, { ...budget, limit_usd: '-1.00' }] }],
    ['budgets.0.limit_usd', '"10.00"', { budgets: [{ ...budget, limit_usd: 10 }] }],
    ['budgets.0.limit_usd', 'USD', { budgets: [{ ...budget, limit_usd: '1e3' }] }],
    ['budgets.0.limit_usd', 'required', { budgets: [{ scope: 'project', period: 'day' }] }],
    ['budgets.0.scope', '"workspace"', { budgets: [{ ...budget, scope: 'proj' }] }],
    ['budgets.0.scope', 'policy of the workspace', { budgets: [{ ...budget, scope: 'workspace' }] }],
    ['budgets.0.period', 'needs a period', { budgets: [{ scope: 'key', limit_usd: '1' }] }],
    ['budgets.0.period', 'no period', { budgets: [{ ...budget, scope: 'request' }] }],
    ['budgets.0.window_seconds', 'needs its window', { budgets: [{ ...budget, period: 'rolling' }] }],
    ['budgets.0.window_seconds', 'Only a rolling', { budgets: [{ ...budget, window_seconds: 60 }] }],
    ['budgets.0.model', 'model pattern', { budgets: [{ ...budget, model: 'gpt 4' }] }],
    ['burst.requests', 'whole number', { burst: { requests: -1 } }],
    ['burst.requests', 'whole number', { burst: { requests: 1.5 } }],
    ['burst.window_seconds', 'from 1 to 3600', { burst: { window_seconds: 0 } }],
    ['burst.mode', '"observe"', { burst: { mode: 'on' } }],
    ['burst', 'object', { burst: null }],
    ['abuse.per', '"sender"', { abuse: { per: 'ip' } }],
    ['abuse.limit_usd', '0 or more', { abuse: { limit_usd: '-5' } }],
    ['network.block.1', 'not an address', { network: { block: ['10.0.0.0/8', '10.0.0.0/33'] } }],
    ['network.allow.0', 'not an address', { network: { allow: ['010.0.0.1'] } }],
    ['network.allow.0', 'not an address', { network: { allow: ['0x7f.1'] } }],
    ['network.allow.0', 'not an address', { network: { allow: ['fe80::1%eth0'] } }],
    ['network.allow.0', 'not an address', { network: { allow: ['::ffff:10.0.0.0/90'] } }],
    ['region.block.0', 'DE', { region: { block: ['UK'] } }],
    ['region.block.0', 'DE', { region: { block: ['de'] } }],
    ['region.allow.0', 'region:europe', { region: { allow: ['region:atlantis'] } }],
    ['region.define.own.0', 'ISO 3166', { region: { define: { own: ['XX'] } } }],
    ['region.define.Own', 'not known', { region: { define: { Own: ['DE'] } } }],
    ['models.allow.0', 'model pattern', { models: { allow: ['gpt‑4.1'] } }],
    ['models.block.0', 'model pattern', { models: { block: [' o1-pro'] } }],
    ['token_guard.max_output_tokens', 'whole number', { token_guard: { max_output_tokens: -1 } }],
    ['pricing.max_hold_share', 'at most 1', { pricing: { max_hold_share: 1.1 } }],
    ['pricing.tool_prices.web_search', 'USD', { pricing: { tool_prices: { web_search: -1 } } }],
    ['retryable_status', '429', { retryable_status: 503 }],
    ['__proto__', 'not known', JSON.parse('{"__proto__": {"burst": {}}}')],
    ['budgets', 'at most', { budgets: Array.from({ length: 41 }, () => budget) }],
  ];
  test.each(rows)('%s: %s', (path, words, document) => {
    const problem = parsePolicy(document);
    expect(problem).toBeInstanceOf(PolicyProblem);
    if (!(problem instanceof PolicyProblem)) return;
    expect(problem.path).toBe(path);
    expect(problem.message).toContain(words);
  });

  test('a workspace has networks and budgets only', () => {
    expect(parseWorkspacePolicy({ burst: {} })).toMatchObject({ path: 'burst' });
    expect(parseWorkspacePolicy({ budgets: [{ ...budget, scope: 'workspace' }] })).not.toBeInstanceOf(PolicyProblem);
  });
});

describe('compiled', () => {
  test('money is limited by an enforced budget or abuse limit, and by nothing else', () => {
    const quiet = { abuse: { mode: 'observe' }, budgets: [{ scope: 'key', period: 'day', limit_usd: '1', mode: 'observe' }] };
    expect(compiled().moneyLimited).toBe(true);
    expect(compiled({ budgets: [] }).pricing.moneyLimited).toBe(true);
    expect(compiled(quiet).moneyLimited).toBe(false);
    expect(compiled({ ...quiet, abuse: { limit_usd: null } }).moneyLimited).toBe(false);
    expect(compiled(quiet, { budgets: [{ scope: 'workspace', period: 'day', limit_usd: '0' }] }).moneyLimited).toBe(true);
    expect(compiled({ budgets: [{ scope: 'key', period: 'day', limit_usd: null }], abuse: { mode: 'off' } }).moneyLimited).toBe(false);
  });

  test('the same budget is the same account in every policy', () => {
    const [first] = compiled().budgets;
    expect(compiled({ burst: { requests: 1 } }).budgets[0]?.account).toBe(first!.account);
    expect(compiled({ budgets: [{ scope: 'project', period: 'week', limit_usd: '10.00' }] }).budgets[0]?.account).not.toBe(first!.account);
  });

  test('prices are nano-USD', () => {
    const pricing = {
      unknown_model_price: { input_usd_per_million: '2', output_usd_per_million: '8.5' },
      tool_prices: { web_search: '0.01' },
      max_hold_share: 0.5,
    };
    expect(compiled({ pricing }).pricing).toEqual({
      moneyLimited: true,
      maxHoldShare: 0.5,
      unknownModelPrice: { input: 2_000_000_000, output: 8_500_000_000 },
      allowFields: [],
      toolPrices: { web_search: 10_000_000 },
      maxToolCalls: 5,
      allowStoredReferences: false,
    });
  });

  test('the narrowest budget speaks first', () => {
    const scopes = ['project', 'user', 'key'].map((scope) => ({ scope, period: 'day', limit_usd: '1' }));
    const policy = compiled(
      { budgets: [...scopes, { scope: 'request', limit_usd: '1' }] },
      { budgets: [{ scope: 'workspace', period: 'day', limit_usd: '1' }] },
    );
    expect(policy.budgets.map(({ scope, index }) => `${scope} ${index}`)).toEqual([
      'request 0',
      'key 1',
      'user 2',
      'project 3',
      'workspace 4',
    ]);
  });
});
