/** What tests of the master key share. */
import { expect } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { open, parseMasterKey, type MasterKey } from '../../src/upstream/secrets.ts';
import type { Scenario } from '../support/scenario.ts';

/** Connects a provider whose key is stored. */
export async function connectMock(scenario: Scenario, baseUrl: string, name = 'mock'): Promise<void> {
  const connection = { name, kind: 'openai', base_url: baseUrl, models: ['*'], api_key: `sk-${name}` };
  expect((await scenario.operate('POST', '/projects/default/providers', connection)).status).toBe(201);
}

/** Makes an alert, whose URL and signing secret are stored. */
export async function watch(scenario: Scenario): Promise<void> {
  const answer = await scenario.operate('POST', '/alerts', { name: 'a', url: 'https://hooks.example.com/one', events: ['sentry'] });
  expect([answer.status, answer.text]).toEqual([201, expect.any(String)]);
}

/** The stored secrets that the key in the file alone opens. */
export async function openedByFile({ dataDir, office }: Scenario): Promise<string[]> {
  const key = parseMasterKey(readFileSync(join(dataDir, 'master.key'), 'utf8'));
  return openedBy(key, office);
}

/** The stored secrets that a key opens. Throws when it does not open one of them. */
export async function openedBy(key: MasterKey, { store }: Scenario['office']): Promise<string[]> {
  return (await store.sealedValues()).map(({ sealed, associatedData }) => open(sealed, key, associatedData).reveal());
}
