import { addBounds, MAX_NANO_USD, parseUsd, type NanoUsd } from '../domain/money.ts';
import type { Plan } from '../domain/project.ts';
import type { PricingRules } from '../domain/facts.ts';
import type { BudgetScope } from '../domain/state.ts';
import { AddressRules } from './addresses.ts';
import { compileBudgets } from './compile-budgets.ts';
import type { AbuseSection, CompiledPolicy, NetworkSection, PolicyNames, RegionEntry, RegionSection, Section } from './compiled.ts';
import { ModelPatterns } from './patterns.ts';
import { countriesOf } from './regions.ts';
import type { PolicyDocument, WorkspacePolicyDocument } from './schema.ts';

/** All that one compiled policy is made of. */
export interface PolicySources {
  readonly project: PolicyDocument;
  readonly workspace: WorkspacePolicyDocument;
  readonly capacity: { readonly plan: Plan; readonly includedRequests: number | null };
  readonly version: number;
  readonly names: PolicyNames;
}

const ENFORCED: readonly Section[] = [{ mode: 'enforce' }];
/** The order in which budgets speak: the narrowest names the reason. */
const SCOPES: readonly BudgetScope[] = ['request', 'key', 'user', 'project', 'workspace'];

const ABUSE_KEY_FACTOR = 10;

/** Compiles documents that `parsePolicy` and `parseWorkspacePolicy` accepted. Throws only for documents that they would refuse. */
export function compilePolicy(sources: PolicySources): CompiledPolicy {
  const { project, workspace } = sources;
  const budgets = [...compileBudgets(workspace.budgets, 'workspace'), ...compileBudgets(project.budgets, 'project')].toSorted(
    (a, b) => SCOPES.indexOf(a.scope) - SCOPES.indexOf(b.scope),
  );
  const abuse = compileAbuse(project.abuse);
  const moneyLimited = [...budgets, ...abuse].some((limit) => limit.mode === 'enforce');
  return {
    version: sources.version,
    names: sources.names,
    capacity: [{ mode: 'enforce', ...sources.capacity }],
    networks: [compileNetwork(workspace.network, 'workspace'), compileNetwork(project.network, 'project')],
    regions: [compileRegion(project.region)],
    models: [{ mode: project.models.mode, allow: new ModelPatterns(project.models.allow), block: new ModelPatterns(project.models.block) }],
    bursts: [
      {
        mode: project.burst.mode,
        projectRequests: project.burst.requests,
        keyRequests: project.burst.key_requests,
        windowMs: project.burst.window_seconds * 1000,
      },
    ],
    abuse,
    tokenGuards: [compileTokenGuard(project.token_guard)],
    loopGuards: [
      { mode: project.loop_guard.mode, repeats: project.loop_guard.repeats, windowMs: project.loop_guard.window_seconds * 1000 },
    ],
    concurrencies: [
      { mode: project.concurrency.mode, projectRequests: project.concurrency.requests, keyRequests: project.concurrency.key_requests },
    ],
    budgets: budgets.map((budget, index) => ({ ...budget, index })),
    moneyLimits: moneyLimited ? ENFORCED : [],
    always: ENFORCED,
    moneyLimited,
    pricing: compilePricing(project.pricing, moneyLimited),
    cutStreams: project.sentry.cut_streams,
    retryableStatus: project.retryable_status,
  };
}

function compileNetwork(network: PolicyDocument['network'], owner: NetworkSection['owner']): NetworkSection {
  return { mode: network.mode, owner, allow: new AddressRules(network.allow), block: new AddressRules(network.block) };
}

function compileRegion(region: PolicyDocument['region']): RegionSection {
  const entries = (list: readonly string[]): RegionEntry[] =>
    list.map((text) => {
      const countries = countriesOf(text, region.define);
      if (countries === null) throw new RangeError(`not a country or region: ${text}`);
      return { text, countries };
    });
  const union = (list: readonly RegionEntry[]): Set<string> => new Set(list.flatMap(({ countries }) => [...countries]));
  const blockEntries = entries(region.block);
  return {
    mode: region.mode,
    allow: union(entries(region.allow)),
    block: union(blockEntries),
    blocksUnknown: region.allow.length > 0 || region.unknown === 'block',
    blockEntries,
  };
}

function compileTokenGuard(guard: PolicyDocument['token_guard']): CompiledPolicy['tokenGuards'][number] {
  return {
    mode: guard.mode,
    maxInputTokens: guard.max_input_tokens,
    maxOutputTokens: guard.max_output_tokens,
    maxTotalTokens: guard.max_total_tokens,
    clamps: guard.on_output_exceed === 'clamp',
  };
}

/**
 * The caps on rolling spend. A sender or an end user can be invented, so beside their cap there is always one for the key:
 * `key_limit_usd`, or ten times the limit when the policy does not say.
 */
function compileAbuse(abuse: PolicyDocument['abuse']): readonly AbuseSection[] {
  if (abuse.limit_usd === null || abuse.mode === 'off') return [];
  const limitNanoUsd = usd(abuse.limit_usd);
  const common = { mode: abuse.mode, windowMs: abuse.window_seconds * 1000 };
  const own: AbuseSection = { ...common, scope: abuse.per, limitNanoUsd, index: 0 };
  if (abuse.per === 'key') return [own];
  if (abuse.per === 'project' && abuse.key_limit_usd === null) return [own];
  const keyLimit = abuse.key_limit_usd === null ? addBounds(limitNanoUsd * ABUSE_KEY_FACTOR) : usd(abuse.key_limit_usd);
  return [own, { ...common, scope: 'key', limitNanoUsd: Math.min(keyLimit, MAX_NANO_USD), index: 1 }];
}

function compilePricing(pricing: PolicyDocument['pricing'], moneyLimited: boolean): PricingRules {
  const unknown = pricing.unknown_model_price;
  return {
    moneyLimited,
    maxHoldShare: pricing.max_hold_share,
    unknownModelPrice: unknown === null ? null : { input: usd(unknown.input_usd_per_million), output: usd(unknown.output_usd_per_million) },
    allowFields: pricing.allow_fields,
    toolPrices: Object.fromEntries(Object.entries(pricing.tool_prices).map(([tool, price]) => [tool, usd(price)])),
    maxToolCalls: pricing.max_tool_calls,
    allowStoredReferences: pricing.allow_stored_references,
  };
}

/** A decimal amount of a document in nano-USD. What is past the range of money is held as the greatest amount. */
function usd(text: string): NanoUsd {
  return parseUsd(text) ?? MAX_NANO_USD;
}
