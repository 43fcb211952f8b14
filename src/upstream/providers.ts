import type { Route } from '../domain/candidate.ts';
import type { Connection, ProviderKind } from '../domain/project.ts';

/** How to reach a kind of provider. What policy must know of it (caps, prices, tokenizer) is in `pricing/`. */
export interface ProviderFacts {
  /** The base URL of a connection that names none; null when it has to name one. Source: each provider's API reference. */
  readonly baseUrl: string | null;
  /** The environment variable that the provider's own SDKs read the key from, or null. */
  readonly keyVariable: string | null;
  /** Which models a connection takes that names none. The dearest mistake is a model at the wrong account, so no kind but `custom` takes all. */
  readonly models: readonly string[];
  /** True when every model name of the provider has a slash, so that `openrouter/auto` is a name and not a prefix. */
  readonly slashedNames: boolean;
}

const plain = { slashedNames: false } as const;

/** Every kind as data. All of them take `Authorization: Bearer` and the paths of `ROUTE_PATHS`. */
export const PROVIDERS: Readonly<Record<ProviderKind, ProviderFacts>> = {
  openai: {
    ...plain,
    baseUrl: 'https://api.openai.com/v1',
    keyVariable: 'OPENAI_API_KEY',
    models: ['gpt-*', 'chatgpt-*', 'o1*', 'o3*', 'o4*', 'codex-*', 'computer-use-*', 'text-embedding-*', 'ft:*', 'babbage-*', 'davinci-*'],
  },
  openrouter: {
    baseUrl: 'https://openrouter.ai/api/v1',
    keyVariable: 'OPENROUTER_API_KEY',
    models: ['*/*'],
    slashedNames: true,
  },
  // Its OpenAI-compatible endpoint, which takes the key as a Bearer token.
  anthropic: {
    ...plain,
    baseUrl: 'https://api.anthropic.com/v1',
    keyVariable: 'ANTHROPIC_API_KEY',
    models: ['claude-*'],
  },
  groq: {
    ...plain,
    baseUrl: 'https://api.groq.com/openai/v1',
    keyVariable: 'GROQ_API_KEY',
    models: ['llama-*', 'meta-llama/*', 'openai/gpt-oss-*', 'qwen/*', 'moonshotai/*', 'groq/*', 'gemma*', 'allam-*'],
  },
  mistral: {
    ...plain,
    baseUrl: 'https://api.mistral.ai/v1',
    keyVariable: 'MISTRAL_API_KEY',
    models: ['mistral-*', 'ministral-*', 'magistral-*', 'codestral-*', 'devstral-*', 'pixtral-*', 'voxtral-*', 'open-mi*'],
  },
  deepseek: {
    ...plain,
    baseUrl: 'https://api.deepseek.com/v1',
    keyVariable: 'DEEPSEEK_API_KEY',
    models: ['deepseek-*'],
  },
  xai: {
    ...plain,
    baseUrl: 'https://api.x.ai/v1',
    keyVariable: 'XAI_API_KEY',
    models: ['grok-*'],
  },
  custom: { ...plain, baseUrl: null, keyVariable: null, models: ['*'] },
};

/** The kinds whose key in the environment becomes a connection on the first start. */
export const FIRST_START_KINDS = ['openai', 'openrouter', 'anthropic'] as const satisfies readonly ProviderKind[];

/** The base URL of the simulator behind test keys: no socket is opened for it. */
export const SIMULATOR_BASE_URL = 'simulator://local/v1';

/** What can be asked of a provider: the judged routes, and its list of models. */
export type UpstreamRoute = Route | 'models';

/** The path of each route after the base URL. */
export const ROUTE_PATHS: Readonly<Record<UpstreamRoute, string>> = {
  chat: '/chat/completions',
  responses: '/responses',
  embeddings: '/embeddings',
  models: '/models',
};

/** Where a request goes: made of the operator's base URL and our own path, and of nothing else. */
export function upstreamUrl(connection: Pick<Connection, 'baseUrl'>, route: UpstreamRoute): string {
  return connection.baseUrl + ROUTE_PATHS[route];
}
