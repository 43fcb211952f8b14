import type { NanoUsd } from '../domain/money.ts';
import type { PricingRules, RequestFacts } from '../domain/facts.ts';
import type { HostedTool, Profile } from './profile.ts';

/** What the hosted tools of a request can cost and add at most. */
export interface HostedBound {
  /** How many calls are held. */
  readonly calls: number;
  readonly feeNanoUsd: NanoUsd;
  /** Tokens that their calls and instructions add to the input. */
  readonly inputTokens: number;
  /** True when what a call adds is not known, so that only the context limit bounds the input. */
  readonly byContext: boolean;
}

const NONE: HostedBound = { calls: 0, feeNanoUsd: 0, inputTokens: 0, byContext: false };

/** `web_search_preview_2025_03_11` is `web_search_preview`. */
function family(type: string): string {
  return type.replace(/_\d{4}_\d{2}_\d{2}$/, '');
}

/** The fee of a call, nano-USD: the policy's, else the profile's; null when nobody set one. */
export function feeOf(type: string, profile: Profile, rules: PricingRules): NanoUsd | null {
  for (const name of [type, family(type)]) if (Object.hasOwn(rules.toolPrices, name)) return rules.toolPrices[name]!;
  return knownTool(type, profile)?.nanoUsdPerCall ?? null;
}

function knownTool(type: string, profile: Profile): HostedTool | null {
  const name = family(type);
  return Object.hasOwn(profile.hostedTools, name) ? profile.hostedTools[name]! : null;
}

/** How many calls a request may make: its own `max_tool_calls`, or the policy's, which is put in. */
export function callsOf(facts: RequestFacts, rules: PricingRules): number {
  return facts.maxToolCalls ?? rules.maxToolCalls;
}

/** Any mix of calls may come, so all of them count at the dearest fee and the greatest input of the tools that are offered. */
export function hostedBound(types: readonly string[], facts: RequestFacts, profile: Profile, rules: PricingRules): HostedBound {
  if (types.length === 0) return NONE;
  const calls = callsOf(facts, rules);
  let fee = 0;
  let input = 0;
  let byContext = false;
  for (const type of types) {
    fee = Math.max(fee, feeOf(type, profile, rules) ?? 0);
    const tool = knownTool(type, profile);
    if (tool === null) byContext = true;
    else input = Math.max(input, tool.inputTokensPerCall);
  }
  return { calls, feeNanoUsd: fee * calls, inputTokens: types.length * profile.hostedToolPreludeTokens + calls * input, byContext };
}
