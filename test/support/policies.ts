import type { Candidate, Quote } from '../../src/domain/candidate.ts';
import type { Settlement } from '../../src/domain/decision.ts';
import type { Plan } from '../../src/domain/project.ts';
import type { CompiledPolicy } from '../../src/policy/compiled.ts';
import { compilePolicy, parsePolicy, parseWorkspacePolicy, PolicyProblem } from '../../src/policy/document.ts';

/** A document as an operator would write it, compiled. Throws for one that is refused. */
export function compiled(
  project: object = {},
  workspace: object = {},
  capacity: { plan: Plan; includedRequests: number | null } = { plan: 'unlimited', includedRequests: null },
): CompiledPolicy {
  const parsed = parsePolicy(project);
  const parsedWorkspace = parseWorkspacePolicy(workspace);
  if (parsed instanceof PolicyProblem) throw new Error(`${parsed.path}: ${parsed.message}`);
  if (parsedWorkspace instanceof PolicyProblem) throw new Error(`${parsedWorkspace.path}: ${parsedWorkspace.message}`);
  return compilePolicy({
    project: parsed,
    workspace: parsedWorkspace,
    capacity,
    version: 1,
    names: { workspace: 'default', project: 'web' },
  });
}

/** Every control off and no budgets: a test then switches on what it is about. */
export const NOTHING = {
  network: { mode: 'off' },
  region: { mode: 'off' },
  models: { mode: 'off' },
  burst: { mode: 'off' },
  abuse: { mode: 'off' },
  token_guard: { mode: 'off' },
  loop_guard: { mode: 'off' },
  concurrency: { mode: 'off' },
  budgets: [],
} as const;

/** 2 USD in and 8 USD out for a million tokens, 100 tokens in. */
export function quoteOf(change: Partial<Quote> = {}): Quote {
  return {
    priced: true,
    priceVersion: 1,
    inputTokenEstimate: 100,
    inputTokenBound: 100,
    inputHoldNanoUsd: 200_000,
    outputNanoUsdPerMillion: 8_000_000_000,
    choices: 1,
    clientOutputCap: null,
    modelOutputLimit: 32_768,
    outputFloor: 1_024,
    unpricedFeature: null,
    ...change,
  };
}

/** An ordinary chat request of project 1, key 1, workspace 1. */
export function candidateOf(change: Partial<Omit<Candidate, 'quote'>> & { quote?: Partial<Quote> } = {}): Candidate {
  const { quote, ...rest } = change;
  const model = rest.model ?? 'gpt-4.1';
  return {
    route: 'chat',
    environment: 'live',
    workspaceId: 1,
    projectId: 1,
    keyId: 1,
    connectionId: 1,
    requestedModel: model,
    model,
    models: [model],
    modelKnown: true,
    stream: false,
    ip: '192.0.2.1',
    country: 'DE',
    endUser: null,
    fingerprint: 1n,
    repeatedToolCalls: 0,
    storedReferences: [],
    ...rest,
    quote: quoteOf(quote),
  };
}

/** A clean end that cost `costNanoUsd`. */
export function settlementOf(decisionSeq: number, costNanoUsd: number, change: Partial<Settlement> = {}): Settlement {
  return {
    decisionSeq,
    outcome: 'completed',
    basis: 'reported',
    costNanoUsd,
    usage: null,
    overrun: false,
    upstreamStatus: 200,
    firstByteMs: 1,
    durationMs: 1,
    responseId: null,
    countsVolume: true,
    ...change,
  };
}
