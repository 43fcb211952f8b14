import type { PricingRules } from '../domain/facts.ts';
import type { NanoUsd } from '../domain/money.ts';
import type { Plan } from '../domain/project.ts';
import type { BudgetAccount, BudgetPeriod, BudgetScope } from '../domain/state.ts';
import type { AddressRules } from './addresses.ts';
import type { ModelPatterns } from './patterns.ts';

/** `enforce` refuses, `observe` only leaves its finding in the row, `off` does not look. */
export type Mode = 'off' | 'observe' | 'enforce';

/** A part of a policy that speaks for itself: has its own mode. */
export interface Section {
  readonly mode: Mode;
}

/** The volume of the workspace's plan. */
export interface CapacitySection extends Section {
  readonly plan: Plan;
  /** Requests a month, null without limit. */
  readonly includedRequests: number | null;
}

/** Networks of one document: the workspace's and the project's are judged one after the other. */
export interface NetworkSection extends Section {
  readonly owner: 'workspace' | 'project';
  readonly allow: AddressRules;
  readonly block: AddressRules;
}

/** Countries, named regions already taken apart. */
export interface RegionSection extends Section {
  /** Empty allows all. */
  readonly allow: ReadonlySet<string>;
  readonly block: ReadonlySet<string>;
  /** What happens to senders whose country is unknown; always true with an allow list. */
  readonly blocksUnknown: boolean;
  /** The entries as written, to name the one that spoke. */
  readonly blockEntries: readonly RegionEntry[];
}

/** One entry of a region list and the countries that it stands for. */
export interface RegionEntry {
  readonly text: string;
  readonly countries: ReadonlySet<string>;
}

/** Models that may and may not be used. */
export interface ModelsSection extends Section {
  readonly allow: ModelPatterns;
  readonly block: ModelPatterns;
}

/** Requests in a sliding window; null is without limit. */
export interface BurstSection extends Section {
  readonly projectRequests: number | null;
  readonly keyRequests: number | null;
  readonly windowMs: number;
}

/** One cap on rolling spend. */
export interface AbuseSection extends Section {
  readonly scope: 'key' | 'project' | 'sender' | 'user';
  readonly limitNanoUsd: NanoUsd;
  readonly windowMs: number;
  /** Where the hold plan keeps what it read for this cap. */
  readonly index: number;
}

/** Limits on tokens; null is without limit. */
export interface TokenGuardSection extends Section {
  readonly maxInputTokens: number | null;
  readonly maxOutputTokens: number | null;
  readonly maxTotalTokens: number | null;
  readonly clamps: boolean;
}

/** Repeats of one payload; null is without limit. */
export interface LoopGuardSection extends Section {
  readonly repeats: number | null;
  readonly windowMs: number;
}

/** Requests in flight; null is without limit. */
export interface ConcurrencySection extends Section {
  readonly projectRequests: number | null;
  readonly keyRequests: number | null;
}

/** A budget with a limit. */
export interface BudgetSection extends Section {
  readonly scope: BudgetScope;
  readonly period: BudgetPeriod | null;
  readonly limitNanoUsd: NanoUsd;
  /** Null for scope `request`. */
  readonly account: BudgetAccount | null;
  /** Null applies to every model. */
  readonly models: ModelPatterns | null;
  /** `project day budget`, for people. */
  readonly rule: string;
  readonly owner: 'workspace' | 'project';
  /** Where the hold plan keeps the balance that it read for this budget. */
  readonly index: number;
}

/** What people call the workspace and the project: messages use these names. */
export interface PolicyNames {
  readonly workspace: string;
  readonly project: string;
}

/**
 * The project's and the workspace's policy, compiled once when one of them is stored.
 * Each control reads its own list of sections; most lists hold one.
 */
export interface CompiledPolicy {
  readonly version: number;
  readonly names: PolicyNames;
  readonly capacity: readonly CapacitySection[];
  readonly networks: readonly NetworkSection[];
  readonly regions: readonly RegionSection[];
  readonly models: readonly ModelsSection[];
  readonly bursts: readonly BurstSection[];
  readonly abuse: readonly AbuseSection[];
  readonly tokenGuards: readonly TokenGuardSection[];
  readonly loopGuards: readonly LoopGuardSection[];
  readonly concurrencies: readonly ConcurrencySection[];
  readonly budgets: readonly BudgetSection[];
  /** One enforced section where money is limited, else none. */
  readonly moneyLimits: readonly Section[];
  /** What judges in every policy, whatever its document says. */
  readonly always: readonly Section[];
  /** True when a money budget or the abuse limit is in enforce mode. */
  readonly moneyLimited: boolean;
  readonly pricing: PricingRules;
  /** Whether Sentry Mode also cuts open streams. */
  readonly cutStreams: boolean;
  /** Status of refusals that a retry may pass: 403 or 429. */
  readonly retryableStatus: number;
}
