import { expect, test } from 'bun:test';
import type { Candidate } from '../../src/domain/candidate.ts';
import type { Settlement } from '../../src/domain/decision.ts';
import { allowed, always, candidate, denied, settlement } from '../ledger/harness.ts';
import { startScenario } from '../support/scenario.ts';

const DAY_MS = 86_400_000;
const HELD = { basis: 'held', outcome: 'unknown', usage: null } as const;
const ESTIMATED = { basis: 'estimated', outcome: 'client_aborted', usage: null } as const;

test('a month says the same to the nano-dollar before and after its decisions are pruned', async () => {
  const scenario = await startScenario();
  const { ledger } = scenario.ledger;
  await scenario.operate('POST', '/projects', { name: 'web' });
  const spent = async (costNanoUsd: number, over: Partial<Settlement> = {}, of: Partial<Candidate> = {}) => {
    const decision = await ledger.admit(candidate({ connectionId: 0, ...of }), 1, always(allowed()));
    ledger.settle(settlement(decision, { costNanoUsd, ...over }));
    await ledger.drain();
    return ((await scenario.operate('GET', '/decisions?limit=1')).json['data'] as { id: string }[])[0]!.id;
  };
  const correct = async (id: string, ...costs: string[]) => {
    for (const cost_usd of costs)
      expect((await scenario.operate('POST', `/decisions/${id}/corrections`, { cost_usd, note: 'bill' })).status).toBe(201);
  };
  const monthNow = () => new Date(scenario.clock.nowMs()).toISOString().slice(0, 7);

  const first = monthNow();
  await correct(await spent(700_000_001, HELD), '1.5');
  while (monthNow() === first) scenario.clock.pass(DAY_MS);
  const second = monthNow();
  for (const projectId of [1, 2]) {
    await spent(1_000_000_007, {}, { projectId });
    await spent(500_000_003 * projectId, ESTIMATED, { projectId });
    await spent(250_000_001, HELD, { projectId });
    await correct(await spent(4_000_000_011, HELD, { projectId }), '9', '0.000000013');
    await correct(await spent(11, {}, { projectId }), '2');
    await ledger.admit(candidate({ connectionId: 0, projectId }), 1, always(denied()));
  }
  await spent(100_000_000_000, HELD, { environment: 'test', keyId: 2 });
  await ledger.drain();
  scenario.clock.pass(40 * DAY_MS);
  await correct(await spent(3, HELD), '0.5');

  const reports = async () => {
    const answers = await Promise.all(
      [first, second, monthNow()].map((month) => scenario.operate('GET', `/reports/monthly?month=${month}`)),
    );
    return answers.map(({ json }) => json);
  };
  const before = await reports();
  expect(before[1]!['total']).toMatchObject({
    cost_usd: '8.000000051',
    estimated: { requests: 2, cost_usd: '1.500000009' },
    unknown: { requests: 2, cost_usd: '0.500000002' },
    corrections: { count: 4, difference_usd: '-4.000000018' },
  });
  const { pruning } = scenario.office;
  pruning.begin(33, { id: 'opr_1', ip: null });
  await pruning.ended();
  expect(pruning.run).toMatchObject({ decisions: 14, settlements: 12, corrections: 7, problem: null });
  expect(await reports()).toEqual(before);
  expect(await scenario.problems()).toEqual([]);
  await scenario.close();
});
