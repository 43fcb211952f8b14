import { afterAll, beforeAll, expect, test } from 'bun:test';
import { confirmRestore } from '../../src/operator/confirm-restore.ts';
import { RESTORE_AUTHOR } from '../../src/operator/restore.ts';
import { setSentry } from '../../src/operator/sentry.ts';
import { nobodyIn } from '../../src/operator/workspaces.ts';
import { startScenario, type Scenario } from '../support/scenario.ts';

const PERSON = { id: 'opr_person', ip: null };

let scenario: Scenario;
beforeAll(async () => {
  scenario = await startScenario();
  await scenario.operate('POST', '/workspaces', { name: 'second' });
});
afterAll(() => scenario.close());

test('who stops a workspace while a restore is being confirmed is not overruled', async () => {
  const { office } = scenario;
  const { registry, store, state } = office;
  const [first, second] = [...registry.workspaces.values()];
  for (const workspaceId of registry.workspaces.keys()) registry.putSwitch(await store.setSentry({ workspaceId }, true, RESTORE_AUTHOR));
  const confirming = confirmRestore(office, PERSON);
  await setSentry(office, PERSON, { workspace: second! }, true);
  expect((await confirming).map(({ name }) => name)).toEqual([first!.name]);
  expect(state.sentry(nobodyIn(first!.id, 0, 0))).toBeNull();
  expect(state.sentry(nobodyIn(second!.id, 0, 0))).toBe('workspace');
  expect(registry.sentryTurn({ workspaceId: second!.id })).toMatchObject({ enabled: true, author: PERSON.id });
});
