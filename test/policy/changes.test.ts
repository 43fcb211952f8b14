import { describe, expect, test } from 'bun:test';
import { policyChanges } from '../../src/policy/changes.ts';
import { defaultPolicy, parsePolicy, parseWorkspacePolicy, PolicyProblem, type PolicyDocument } from '../../src/policy/document.ts';
import { LIST_LOOSENS, LOOSENS, TABLE_LOOSENS } from '../../src/policy/loosening.ts';
import { withoutDefaults } from '../../src/policy/sparse.ts';

function policy(document: object): PolicyDocument {
  const parsed = parsePolicy(document);
  if (parsed instanceof PolicyProblem) throw new Error(`${parsed.path}: ${parsed.message}`);
  return parsed;
}

/** What changes, one text for each: `path before -> after`, with `!` where it lets more pass. */
function changes(before: object, after: object): string[] {
  const shown = (value: unknown) => (value === undefined ? '' : JSON.stringify(value));
  return policyChanges(policy(before), policy(after)).map(
    (change) => `${change.loosens ? '!' : ''}${change.path} ${shown(change.before)}->${shown(change.after)}`,
  );
}

const project = (limit: string | null, mode = 'enforce') => ({ scope: 'project', period: 'day', limit_usd: limit, mode });

describe('what differs, and what of it lets more pass', () => {
  test.each([
    [{}, {}, []],
    [{}, { burst: { requests: 601 } }, ['!burst.requests 600->601']],
    [{}, { burst: { requests: 599 } }, ['burst.requests 600->599']],
    [{}, { burst: { requests: null } }, ['!burst.requests 600->null']],
    [{ burst: { requests: null } }, {}, ['burst.requests null->600']],
    [{}, { burst: { window_seconds: 30 } }, ['!burst.window_seconds 60->30']],
    [{}, { burst: { window_seconds: 90 } }, ['burst.window_seconds 60->90']],
    [{}, { loop_guard: { mode: 'observe' } }, ['!loop_guard.mode "enforce"->"observe"']],
    [{ models: { mode: 'off' } }, { models: { mode: 'observe' } }, ['models.mode "off"->"observe"']],
    [{}, { abuse: { limit_usd: '5.01' } }, ['!abuse.limit_usd "5.00"->"5.01"']],
    [{}, { abuse: { limit_usd: '10' } }, ['!abuse.limit_usd "5.00"->"10"']],
    [{}, { abuse: { limit_usd: '0.5' } }, ['abuse.limit_usd "5.00"->"0.5"']],
    [{}, { abuse: { per: 'project' } }, ['abuse.per "key"->"project"']],
    [{}, { abuse: { per: 'sender' } }, ['!abuse.per "key"->"sender"']],
    [{}, { sentry: { cut_streams: false } }, ['!sentry.cut_streams true->false']],
    [{ region: { unknown: 'block' } }, {}, ['!region.unknown "block"->"allow"']],
    [{}, { retryable_status: 429 }, ['retryable_status 403->429']],
    [{}, { pricing: { allow_stored_references: true } }, ['!pricing.allow_stored_references false->true']],
    [{}, { pricing: { allow_fields: ['x'] } }, ['!pricing.allow_fields ->"x"']],
    [{}, { pricing: { tool_prices: { search: '0.01' } } }, ['!pricing.tool_prices.search ->"0.01"']],
    [
      { pricing: { tool_prices: { search: '0.01' } } },
      { pricing: { tool_prices: { search: '0.001' } } },
      ['!pricing.tool_prices.search "0.01"->"0.001"'],
    ],
    [{ pricing: { tool_prices: { search: '0.01' } } }, {}, ['pricing.tool_prices.search "0.01"->']],
    [
      {},
      { pricing: { unknown_model_price: { input_usd_per_million: '1', output_usd_per_million: '2' } } },
      ['!pricing.unknown_model_price null->{"input_usd_per_million":"1","output_usd_per_million":"2"}'],
    ],
    // Lists: the order says nothing.
    [{ models: { allow: ['a', 'b'] } }, { models: { allow: ['b', 'a'] } }, []],
    [{}, { models: { allow: ['a'] } }, ['models.allow ->"a"']],
    [{ models: { allow: ['a'] } }, { models: { allow: ['a', 'b'] } }, ['!models.allow ->"b"']],
    [{ models: { allow: ['a', 'b'] } }, { models: { allow: ['a'] } }, ['models.allow "b"->']],
    [{ models: { allow: ['a'] } }, {}, ['!models.allow "a"->']],
    [{ models: { block: ['a'] } }, { models: { block: ['b'] } }, ['!models.block "a"->', 'models.block ->"b"']],
    [
      { region: { define: { eu: ['DE'] } } },
      { region: { define: { eu: ['DE', 'FR'], x: ['US'] } } },
      ['!region.define.eu ["DE"]->["DE","FR"]', 'region.define.x ->["US"]'],
    ],
    // Budgets are known by scope, period and model.
    [{}, { budgets: [project('20.00')] }, ['!budgets[project day].limit_usd "10.00"->"20.00"']],
    [{}, { budgets: [project('9.00')] }, ['budgets[project day].limit_usd "10.00"->"9.00"']],
    [{}, { budgets: [project(null)] }, ['!budgets[project day].limit_usd "10.00"->null']],
    [{}, { budgets: [project('10.00', 'observe')] }, ['!budgets[project day].mode "enforce"->"observe"']],
    [{}, { budgets: [] }, ['!budgets[project day] {"limit_usd":"10.00","mode":"enforce"}->']],
    [{ budgets: [project('1', 'off')] }, { budgets: [] }, ['budgets[project day] {"limit_usd":"1","mode":"off"}->']],
    [
      {},
      { budgets: [{ scope: 'key', period: 'rolling', window_seconds: 60, model: 'gpt-*', limit_usd: '1' }, project('10.00')] },
      ['budgets[key rolling 60s gpt-*] ->{"limit_usd":"1","mode":"enforce"}'],
    ],
    [{ budgets: [project('5', 'observe'), project('10')] }, { budgets: [project('10'), project('5', 'observe')] }, []],
    [
      { budgets: [project('5', 'observe'), project('10')] },
      { budgets: [project('10'), project('6', 'observe')] },
      ['!budgets[project day].limit_usd "5"->"6"'],
    ],
  ])('%j -> %j', (before, after, expected) => {
    expect(changes(before, after)).toEqual(expected);
  });

  test('every value of a policy has a rule, and no rule is of a value that is gone', () => {
    const paths = Object.entries(defaultPolicy()).flatMap(([section, value]) =>
      section === 'budgets' ? [] : typeof value === 'object' ? Object.keys(value).map((name) => `${section}.${name}`) : [section],
    );
    const rules = [LOOSENS, LIST_LOOSENS, TABLE_LOOSENS].flatMap((table) => Object.keys(table));
    expect(rules.toSorted()).toEqual(paths.toSorted());
  });
});

describe('the word for no limit', () => {
  test('stands for null where null is allowed, and nowhere else', () => {
    const parsed = policy({ burst: { requests: 'unlimited' }, budgets: [{ scope: 'project', period: 'day', limit_usd: 'unlimited' }] });
    expect([parsed.burst.requests, parsed.budgets[0]!.limit_usd]).toEqual([null, null]);
    expect(parsePolicy({ burst: { window_seconds: 'unlimited' } })).toBeInstanceOf(PolicyProblem);
    expect(policy({ models: { allow: ['unlimited'] } }).models.allow).toEqual(['unlimited']);
    const workspace = parseWorkspacePolicy({ budgets: [{ scope: 'workspace', period: 'month', limit_usd: 'unlimited' }] });
    expect(workspace).toMatchObject({ budgets: [{ limit_usd: null }] });
  });

  test('what is unknown says what was meant', () => {
    expect(parsePolicy({ burst: { request: 3 } })).toMatchObject({
      path: 'burst.request',
      message: expect.stringContaining('Did you mean "requests"?'),
    });
    expect(parsePolicy({ bugdets: [] })).toMatchObject({ message: expect.stringContaining('Did you mean "budgets"?') });
    expect(parsePolicy({ budgets: [{ scope: 'project', period: 'day', limit: '1' }] })).toBeInstanceOf(PolicyProblem);
  });
});

test.each([[{}], [{ budgets: [] }], [{ burst: { requests: null } }], [{ models: { allow: ['a'] }, pricing: { max_hold_share: 0.5 } }]])(
  'without its defaults a policy says only %j, and means the same',
  (document) => {
    const sparse = withoutDefaults(policy(document), defaultPolicy());
    expect(sparse).toEqual(document);
    expect(policy(sparse)).toEqual(policy(document));
  },
);
