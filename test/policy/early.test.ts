import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { leastCandidate } from '../../src/gateway/access.ts';
import type { Candidate } from '../../src/domain/candidate.ts';
import type { Caller } from '../../src/gateway/authenticate.ts';
import { LedgerState } from '../../src/ledger/state.ts';
import { decide } from '../../src/policy/decide.ts';
import { decideEarly } from '../../src/policy/early.ts';
import { candidateOf, compiled, NOTHING } from '../support/policies.ts';
import { admit, NOW_MS, SCENES, stateOf } from './scenes.ts';

/** What is known of a request from its headers alone. */
function least({ route, environment, workspaceId, projectId, keyId, ip, country }: Candidate): Candidate {
  const caller = { environment, lineageId: keyId, entry: { workspace: { id: workspaceId }, project: { id: projectId } } };
  return leastCandidate(caller as Caller, { ip, country }, route);
}

function spend(state: LedgerState, costNanoUsd: number, candidate = candidateOf()): void {
  admit(state, 1, NOW_MS, candidate, costNanoUsd);
  const nothing = { usage: null, overrun: false, upstreamStatus: 200, firstByteMs: null, durationMs: 1, responseId: null };
  state.settle({ ...nothing, decisionSeq: 1, outcome: 'completed', basis: 'reported', costNanoUsd, countsVolume: true }, NOW_MS);
}

describe('judged before its body is read', () => {
  test.each(SCENES.map((scene) => [scene.name, scene] as const))('%s: what would pass is not refused', (_name, scene) => {
    const nowMs = scene.passesAtMs ?? scene.nowMs ?? NOW_MS;
    expect(decideEarly(scene.policy, stateOf(scene), least(scene.passes), nowMs).allow).toBe(true);
  });

  test('each control that never needs a body refuses in one of its scenes', () => {
    const speaks = SCENES.filter((scene) => !decideEarly(scene.policy, stateOf(scene), least(scene.refused), scene.nowMs ?? NOW_MS).allow);
    const names = new Set<string>(speaks.map(({ by }) => by.name));
    expect([...names].toSorted()).toEqual(['burst', 'capacity', 'concurrency', 'network', 'region', 'sentry']);
  });

  test.each([
    ['abuse', { abuse: { limit_usd: '1' } }],
    ['budgets', { budgets: [{ scope: 'project', period: 'day', limit_usd: '1' }] }],
    ['budgets', { budgets: [{ scope: 'key', period: 'total', limit_usd: '0' }] }],
  ])('%s refuses what costs nothing when more than all is spent, and says nothing of what is needed', (control, document) => {
    const state = new LedgerState();
    spend(state, 2_000_000_000);
    const verdict = decideEarly(compiled({ ...NOTHING, ...document }), state, least(candidateOf()), NOW_MS);
    expect(verdict).toMatchObject({ allow: false, finding: { control } });
    expect(JSON.stringify(verdict)).not.toContain('needed');
  });

  test.each([
    ['requests in flight hold more than all: whether it fits once they have settled', { abuse: { limit_usd: '1' } }],
    ['the same of a budget', { budgets: [{ scope: 'project', period: 'day', limit_usd: '1' }] }],
    ['a limit on a single request', { budgets: [{ scope: 'request', limit_usd: '0' }] }],
  ])('left to its body: %s', (_name, document) => {
    const state = new LedgerState();
    admit(state, 1, NOW_MS, candidateOf(), 2_000_000_000);
    const policy = compiled({ ...NOTHING, ...document });
    expect(decide(policy, state, candidateOf(), NOW_MS).allow).toBe(false);
    expect(decideEarly(policy, state, least(candidateOf()), NOW_MS).allow).toBe(true);
  });

  test('an end user who has spent all says nothing about the next one', () => {
    const state = new LedgerState();
    spend(state, 2_000_000_000, candidateOf({ endUser: null }));
    for (const document of [{ budgets: [{ scope: 'user', period: 'day', limit_usd: '1' }] }, { abuse: { per: 'user', limit_usd: '1' } }]) {
      const policy = compiled({ ...NOTHING, ...document });
      expect(decide(policy, state, candidateOf({ endUser: null }), NOW_MS).allow).toBe(false);
      expect(decideEarly(policy, state, least(candidateOf()), NOW_MS).allow).toBe(true);
    }
  });
});

const limit = fc.constantFrom('0', '0.5', '1', '2', '1000', null);
const budget = fc.record(
  {
    scope: fc.constantFrom('project', 'key', 'user'),
    period: fc.constantFrom('day', 'total', 'month'),
    limit_usd: limit,
    model: fc.constantFrom('gpt-*', 'claude-*'),
    mode: fc.constantFrom('enforce', 'observe', 'off'),
  },
  { requiredKeys: ['scope', 'period', 'limit_usd', 'mode'] },
);
const documents = fc.record({
  burst: fc.record({ requests: fc.constantFrom(null, 0, 2, 5), window_seconds: fc.constant(60) }),
  concurrency: fc.record({ requests: fc.constantFrom(null, 0, 2, 5), key_requests: fc.constantFrom(null, 1, 4) }),
  abuse: fc.record({ per: fc.constantFrom('key', 'project', 'sender', 'user'), limit_usd: limit }),
  network: fc.record({ block: fc.constantFrom([], ['203.0.113.0/24']) }),
  region: fc.record({ block: fc.constantFrom([], ['DE']) }),
  budgets: fc.array(budget, { maxLength: 4 }),
});
const candidates = fc
  .record({
    keyId: fc.constantFrom(1, 2),
    endUser: fc.constantFrom(null, 'anna', 'ben'),
    ip: fc.constantFrom(null, '203.0.113.7', '198.51.100.1'),
    country: fc.constantFrom(null, 'DE', 'FR'),
    model: fc.constantFrom('gpt-5.4', 'claude-sonnet-5'),
    hold: fc.constantFrom(0, 1_000_000_000),
  })
  .map(({ model, hold, ...rest }) =>
    candidateOf({
      ...rest,
      model,
      models: [model],
      quote: { inputHoldNanoUsd: hold, ...(hold === 0 ? { outputNanoUsdPerMillion: 0 } : {}) },
    }),
  );
const history = fc.array(fc.tuple(candidates, fc.constantFrom(0, 400_000_000, 1_000_000_000)), { maxLength: 8 });

test('what is refused without its body would be refused with any body', () => {
  let refusedEarly = 0;
  fc.assert(
    fc.property(documents, history, fc.boolean(), candidates, (document, before, sentry, candidate) => {
      const policy = compiled({ ...NOTHING, ...document });
      const state = new LedgerState();
      for (const [earlier, hold] of before) admit(state, 1, NOW_MS, earlier, hold);
      if (sentry) state.setSentry({ projectId: candidate.projectId }, true);
      const early = decideEarly(policy, state, least(candidate), NOW_MS);
      if (early.allow) return;
      refusedEarly++;
      const verdict = decide(policy, state, candidate, NOW_MS);
      if (verdict.allow) throw new Error('only its headers are refused');
      // The same rule never says that a retry may pass where it says with the body that none can.
      if (verdict.finding.rule === early.finding.rule) expect(early.finding.retryable).toBe(verdict.finding.retryable);
    }),
    { numRuns: 1_500 },
  );
  expect(refusedEarly).toBeGreaterThan(150);
});
