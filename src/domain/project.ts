import type { Environment } from './candidate.ts';

/** A plan's volume: how many requests a month are included; null is without limit. */
export interface Workspace {
  readonly id: number;
  readonly publicId: string;
  readonly name: string;
  readonly plan: Plan;
  /** Included requests a month, or null for no limit. */
  readonly includedRequests: number | null;
  readonly createdAtMs: number;
}

/** `custom` has its own `includedRequests`. */
export type Plan = 'unlimited' | 'free' | 'plus' | 'business' | 'custom';

/** Included requests a month of each plan; null is without limit. */
export const PLAN_REQUESTS: Readonly<Record<Exclude<Plan, 'custom'>, number | null>> = {
  unlimited: null,
  free: 150,
  plus: 50_000,
  business: 500_000,
};

export interface Project {
  readonly id: number;
  readonly publicId: string;
  readonly workspaceId: number;
  readonly name: string;
  readonly createdAtMs: number;
}

export interface ApiKey {
  readonly id: number;
  readonly publicId: string;
  readonly projectId: number;
  readonly name: string;
  readonly environment: Environment;
  /** What may be shown: `pk_live_Ab3d`. */
  readonly prefix: string;
  /** SHA-256 of the key, lower-case hexadecimal. */
  readonly sha256: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly revokedAtMs: number | null;
  /** The key that this one replaced: its spend counts on. Null for a first key. */
  readonly lineageId: number | null;
}

/** The kinds of provider that have a profile; `custom` is any OpenAI-compatible server. */
export const PROVIDER_KINDS = ['openai', 'openrouter', 'anthropic', 'groq', 'mistral', 'deepseek', 'xai', 'custom'] as const;
export type ProviderKind = (typeof PROVIDER_KINDS)[number];

/** A provider connection of a project. The secret is elsewhere: see `upstream/secrets.ts`. */
export interface Connection {
  readonly id: number;
  readonly publicId: string;
  readonly projectId: number;
  readonly name: string;
  readonly kind: ProviderKind;
  /** Without a slash at its end: `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  /** Names or patterns with `*`; `["*"]` takes all. */
  readonly models: readonly string[];
  readonly createdAtMs: number;
}
