import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import type { Candidate } from '../../src/domain/candidate.ts';
import type { Decision, Settlement } from '../../src/domain/decision.ts';
import type { Allowed, Denied } from '../../src/domain/verdict.ts';
import type { Decide } from '../../src/ledger/ledger.ts';
import { openLedger, type LedgerOptions, type OpenLedger } from '../../src/ledger/sqlite/open-ledger.ts';
import type { FirstStart } from '../../src/ledger/store.ts';
import { TEST_SEAL_KEYS } from '../support/seal-keys.ts';

/** A new directory for one test, with the way to be rid of it. */
export function temporaryDirectory(): { path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'panicly-ledger-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** A ledger in `dataDir` with quiet events. */
export function open(dataDir: string, options: Partial<LedgerOptions> = {}): Promise<OpenLedger> {
  const events = { onRefusedRow: () => {}, onHealth: () => {} };
  return openLedger({ dataDir, clock: systemClock, events, sealKeys: TEST_SEAL_KEYS, commitDeadlineMs: 5_000, ...options });
}

/** A first start with one workspace, one project, a live and a test key, and one connection: all with id 1, the test key with id 2. */
export const FIRST_START: FirstStart = {
  workspace: { publicId: 'wsp_1', name: 'default', plan: 'unlimited', includedRequests: null },
  project: { publicId: 'prj_1', name: 'default' },
  keys: [
    { publicId: 'key_1', name: 'live', environment: 'live', prefix: 'pk_live_aaaa', sha256: 'a'.repeat(64), expiresAtMs: null },
    { publicId: 'key_2', name: 'test', environment: 'test', prefix: 'pk_test_bbbb', sha256: 'b'.repeat(64), expiresAtMs: null },
  ],
  connections: [
    {
      publicId: 'con_1',
      name: 'openai',
      kind: 'openai',
      baseUrl: 'https://api.openai.com/v1',
      models: ['*'],
      secret: { kind: 'encrypted', ciphertext: new Uint8Array([1, 2, 3]), nonce: new Uint8Array([4, 5]) },
    },
  ],
  operator: { publicId: 'opr_1', name: 'first', role: 'owner', tokenSha256: 'c'.repeat(64) },
  workspacePolicy: '{}',
  projectPolicy: '{"budgets":[]}',
  author: 'system',
};

/** A ledger with `FIRST_START` in it. */
export async function openSeeded(dataDir: string, options: Partial<LedgerOptions> = {}): Promise<OpenLedger> {
  const opened = await open(dataDir, options);
  const { workspaces } = await opened.store.loadDirectory();
  if (workspaces.length === 0) await opened.store.firstStart(FIRST_START);
  return opened;
}

/** A chat request of the live key. */
export function candidate(over: Partial<Candidate> = {}): Candidate {
  return {
    route: 'chat',
    environment: 'live',
    workspaceId: 1,
    projectId: 1,
    keyId: 1,
    connectionId: 1,
    requestedModel: 'gpt-4.1-mini',
    model: 'gpt-4.1-mini',
    models: ['gpt-4.1-mini'],
    modelKnown: true,
    stream: true,
    ip: '203.0.113.57',
    country: 'DE',
    endUser: null,
    fingerprint: 0xfedc_ba98_7654_3210n,
    repeatedToolCalls: 0,
    storedReferences: [],
    quote: {
      priced: true,
      priceVersion: 20_261_122,
      inputTokenEstimate: 512,
      inputTokenBound: 2_048,
      inputHoldNanoUsd: 819_200,
      outputNanoUsdPerMillion: 1_600_000_000,
      choices: 1,
      clientOutputCap: 1_024,
      modelOutputLimit: 32_768,
      outputFloor: 1_024,
      unpricedFeature: null,
    },
    ...over,
  };
}

/** A verdict that lets a request go. */
export function allowed(over: Partial<Allowed> = {}): Allowed {
  return {
    allow: true,
    holdNanoUsd: 2_457_600,
    outputCap: null,
    heldOutputTokens: 1_024,
    remainingNanoUsd: 9_997_542_400,
    draws: 'none',
    observed: [],
    ...over,
  };
}

/** A verdict that refuses a request. */
export function denied(over: Partial<Denied> = {}): Denied {
  return {
    allow: false,
    observed: [],
    finding: {
      control: 'budgets',
      reason: 'project_budget',
      rule: 'project day budget',
      limit: '10.00 USD',
      observed: '9.99 USD',
      remedy: 'Raise the budget.',
      message: 'The budget is used up.',
    },
    ...over,
  };
}

/** A `decide` that always says the same. */
export function always(verdict: Allowed | Denied): Decide {
  return () => verdict;
}

/** How a request ended that cost something. */
export function settlement(decision: Decision, over: Partial<Settlement> = {}): Settlement {
  return {
    decisionSeq: decision.seq,
    outcome: 'completed',
    basis: 'reported',
    costNanoUsd: 1_234_567,
    usage: {
      inputTokens: 498,
      cachedInputTokens: 128,
      cacheWriteTokens: 0,
      audioInputTokens: 0,
      outputTokens: 321,
      reasoningTokens: 0,
      audioOutputTokens: 0,
      providerCostNanoUsd: null,
      toolCalls: null,
      flags: [],
    },
    overrun: false,
    upstreamStatus: 200,
    firstByteMs: 412,
    durationMs: 3_127,
    responseId: null,
    countsVolume: true,
    ...over,
  };
}
