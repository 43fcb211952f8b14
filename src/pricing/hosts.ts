import type { ProviderKind } from '../domain/project.ts';

/** Hosts of OpenAI-compatible servers whose price list the catalogue has; each is the host of the provider's own API documentation. */
const HOSTS: Readonly<Record<string, string>> = {
  'api.openai.com': 'openai',
  'eu.api.openai.com': 'openai',
  'us.api.openai.com': 'openai',
  'openrouter.ai': 'openrouter',
  'api.anthropic.com': 'anthropic',
  'api.groq.com': 'groq',
  'api.mistral.ai': 'mistral',
  'api.deepseek.com': 'deepseek',
  'api.x.ai': 'xai',
  'generativelanguage.googleapis.com': 'google',
  'api.together.xyz': 'togetherai',
  'api.together.ai': 'togetherai',
  'api.fireworks.ai': 'fireworks-ai',
  'api.cerebras.ai': 'cerebras',
  'api.perplexity.ai': 'perplexity',
  'api.deepinfra.com': 'deepinfra',
  'integrate.api.nvidia.com': 'nvidia',
  'api.moonshot.ai': 'moonshotai',
  'api.z.ai': 'zai',
  'dashscope-intl.aliyuncs.com': 'alibaba',
  'router.huggingface.co': 'huggingface',
};

/** The host of a base URL in lower case, or null when it is none. */
export function hostOf(baseUrl: string | null): string | null {
  return baseUrl !== null && URL.canParse(baseUrl) ? new URL(baseUrl).hostname : null;
}

/** The catalogue's provider behind a connection: its kind, or for `custom` the owner of the host; null when nobody knows. */
export function providerOf(kind: ProviderKind, baseUrl: string | null): string | null {
  if (kind !== 'custom') return kind;
  const host = hostOf(baseUrl);
  return host !== null && Object.hasOwn(HOSTS, host) ? HOSTS[host]! : null;
}
