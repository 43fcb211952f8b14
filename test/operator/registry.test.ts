import { afterAll, beforeAll, expect, test } from 'bun:test';
import { startScenario, type Scenario } from '../support/scenario.ts';

let scenario: Scenario;
beforeAll(async () => void (scenario = await startScenario()));
afterAll(() => scenario.close());

test('what was read before something newer came into force does not take its place', async () => {
  const { registry, store, directory } = scenario.office;
  const [project] = [...registry.projects.values()];
  const owner = { projectId: project!.id };
  await scenario.operate('PUT', '/projects/default/policy', { budgets: [{ scope: 'key', period: 'day', limit_usd: '9.00' }] });
  await scenario.operate('PUT', '/projects/default/sentry', { enabled: false });
  const key = (await scenario.operate('POST', '/projects/default/keys', { name: 'leaked', environment: 'test' })).json;
  const before = await store.loadDirectory();
  await scenario.operate('PUT', '/projects/default/policy', { budgets: [{ scope: 'key', period: 'day', limit_usd: '1.00' }] });
  registry.putSwitch(await store.setSentry(owner, true, 'opr_1'));
  await scenario.operate('POST', `/keys/${String(key['id'])}/revoke`);
  const stored = registry.projectPolicy(project!.id)!;

  for (const policy of before.policies) registry.putPolicy(policy);
  for (const turn of before.switches) registry.putSwitch(turn);
  for (const old of before.keys) registry.putKey(old);

  expect(registry.projectPolicy(project!.id)).toEqual(stored);
  expect(directory.project(project!.id)!.policy.budgets[0]!.limitNanoUsd).toBe(1_000_000_000);
  expect(registry.sentry(owner)).toBe(true);
  expect((await scenario.chat(String(key['key']))).json).toMatchObject({ error: { reason: 'revoked_key' } });
});
