/**
 * Names that mean a model of the catalogue, by provider. A date is never cut off: an old date may have another price,
 * so each dated name stands here by itself, with its own price where that differs.
 */

/** A model that the catalogue has under another name; `price` in nano-USD per million tokens where it is another one. */
export interface Alias {
  readonly id: string;
  /** Where the model stands, when it is another provider's list. */
  readonly provider?: string;
  readonly price?: { readonly input: number; readonly output: number };
}

const usd = (input: number, output: number): { input: number; output: number } => ({
  input: Math.round(input * 1e9),
  output: Math.round(output * 1e9),
});

function dated(pairs: Readonly<Record<string, string>>): Record<string, Alias> {
  return Object.fromEntries(Object.entries(pairs).map(([name, id]) => [name, { id }]));
}

/** OpenAI's model pages name the snapshot behind each model; prices of old snapshots are of its pricing page for legacy models. */
const OPENAI: Readonly<Record<string, Alias>> = {
  ...dated({
    'gpt-3.5-turbo-0125': 'gpt-3.5-turbo',
    'gpt-4-0613': 'gpt-4',
    'gpt-4-0314': 'gpt-4',
    'gpt-4-turbo-2024-04-09': 'gpt-4-turbo',
    'gpt-4-turbo-preview': 'gpt-4-turbo',
    'gpt-4-0125-preview': 'gpt-4-turbo',
    'gpt-4-1106-preview': 'gpt-4-turbo',
    'gpt-4o-mini-2024-07-18': 'gpt-4o-mini',
    'gpt-4.1-2025-04-14': 'gpt-4.1',
    'gpt-4.1-mini-2025-04-14': 'gpt-4.1-mini',
    'gpt-4.1-nano-2025-04-14': 'gpt-4.1-nano',
    'gpt-5-2025-08-07': 'gpt-5',
    'gpt-5-mini-2025-08-07': 'gpt-5-mini',
    'gpt-5-nano-2025-08-07': 'gpt-5-nano',
    'gpt-5-pro-2025-10-06': 'gpt-5-pro',
    'gpt-5.1-2025-11-13': 'gpt-5.1',
    'gpt-5.2-2025-12-11': 'gpt-5.2',
    'gpt-5.2-pro-2025-12-11': 'gpt-5.2-pro',
    'gpt-5.4-2026-03-05': 'gpt-5.4',
    'o1-2024-12-17': 'o1',
    'o1-pro-2025-03-19': 'o1-pro',
    'o3-2025-04-16': 'o3',
    'o3-mini-2025-01-31': 'o3-mini',
    'o3-pro-2025-06-10': 'o3-pro',
    'o4-mini-2025-04-16': 'o4-mini',
    'o3-deep-research-2025-06-26': 'o3-deep-research',
    'o4-mini-deep-research-2025-06-26': 'o4-mini-deep-research',
  }),
  'gpt-3.5-turbo-1106': { id: 'gpt-3.5-turbo', price: usd(1, 2) },
  'gpt-3.5-turbo-0613': { id: 'gpt-3.5-turbo', price: usd(1.5, 2) },
  'gpt-3.5-turbo-0301': { id: 'gpt-3.5-turbo', price: usd(1.5, 2) },
  'gpt-3.5-turbo-16k': { id: 'gpt-3.5-turbo', price: usd(3, 4) },
  'gpt-3.5-turbo-16k-0613': { id: 'gpt-3.5-turbo', price: usd(3, 4) },
  'chatgpt-4o-latest': { id: 'gpt-4o', price: usd(5, 15) },
  'o1-preview': { id: 'o1' },
  'o1-preview-2024-09-12': { id: 'o1' },
  'o1-mini': { id: 'o3-mini', price: usd(3, 12) },
  'o1-mini-2024-09-12': { id: 'o3-mini', price: usd(3, 12) },
  'gpt-4o-search-preview': { id: 'openai/gpt-4o-search-preview', provider: 'openrouter' },
  'gpt-4o-mini-search-preview': { id: 'openai/gpt-4o-mini-search-preview', provider: 'openrouter' },
};

/** Anthropic's model overview: aliases and the snapshots that they point to. */
const ANTHROPIC: Readonly<Record<string, Alias>> = dated({
  'claude-3-5-sonnet-latest': 'claude-3-5-sonnet-20241022',
  'claude-3-7-sonnet-latest': 'claude-3-7-sonnet-20250219',
  'claude-3-opus-latest': 'claude-3-opus-20240229',
});

/** Mistral's model overview. */
const MISTRAL: Readonly<Record<string, Alias>> = {
  ...dated({
    'mistral-tiny': 'open-mistral-7b',
    'pixtral-12b-2409': 'pixtral-12b',
    'pixtral-12b-latest': 'pixtral-12b',
    'pixtral-large-2411': 'pixtral-large-latest',
    'open-mistral-nemo-2407': 'open-mistral-nemo',
    'mistral-embed-2312': 'mistral-embed',
  }),
};

/** OpenRouter's canonical slugs, spellings that it takes, and embedding models, which it sells at the vendor's price. */
const OPENROUTER: Readonly<Record<string, Alias>> = {
  ...dated({
    'anthropic/claude-haiku-4-5': 'anthropic/claude-haiku-4.5',
    'anthropic/claude-sonnet-4-5': 'anthropic/claude-sonnet-4.5',
    'anthropic/claude-sonnet-4-6': 'anthropic/claude-sonnet-4.6',
    'anthropic/claude-opus-4-1': 'anthropic/claude-opus-4.1',
    'anthropic/claude-opus-4-5': 'anthropic/claude-opus-4.5',
    'anthropic/claude-opus-4-6': 'anthropic/claude-opus-4.6',
    'anthropic/claude-4.5-haiku-20251001': 'anthropic/claude-haiku-4.5',
    'anthropic/claude-4.5-sonnet-20250929': 'anthropic/claude-sonnet-4.5',
    'anthropic/claude-4.6-sonnet-20260217': 'anthropic/claude-sonnet-4.6',
  }),
  'openai/text-embedding-3-small': { id: 'text-embedding-3-small', provider: 'openai' },
  'openai/text-embedding-3-large': { id: 'text-embedding-3-large', provider: 'openai' },
  'openai/text-embedding-ada-002': { id: 'text-embedding-ada-002', provider: 'openai' },
  'google/gemini-embedding-001': { id: 'gemini-embedding-001', provider: 'google' },
  'mistralai/mistral-embed-2312': { id: 'mistral-embed', provider: 'mistral' },
};

/** By provider of the catalogue; names in lower case. */
export const ALIASES: Readonly<Record<string, Readonly<Record<string, Alias>>>> = {
  openai: OPENAI,
  anthropic: ANTHROPIC,
  mistral: MISTRAL,
  openrouter: OPENROUTER,
};

/**
 * Variants of OpenRouter that choose among the sellers of one model (its routing documentation). They share the model's price
 * list; `provider.max_price` keeps the choice within what is held.
 */
export const ROUTING_VARIANTS: readonly string[] = [':nitro', ':floor', ':exacto', ':online'];
