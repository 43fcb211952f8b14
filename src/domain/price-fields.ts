/**
 * The parts of a price in our words, and the field that people read and write them in: USD for a million tokens, as decimal strings.
 * One table for the operator API, the CLI and what compares price lists.
 */
export const PRICE_FIELDS = {
  input: 'input_usd',
  output: 'output_usd',
  cacheRead: 'cache_read_usd',
  cacheWrite: 'cache_write_usd',
  reasoning: 'reasoning_usd',
  inputAudio: 'input_audio_usd',
  outputAudio: 'output_audio_usd',
} as const;

/** The same for a model's limits, in tokens. */
export const LIMIT_FIELDS = { context: 'context_tokens', input: 'max_input_tokens', output: 'max_output_tokens' } as const;

/** The words of `PRICE_FIELDS`, in their order. */
export const PRICE_PARTS = Object.keys(PRICE_FIELDS) as readonly (keyof typeof PRICE_FIELDS)[];

/** The words of `LIMIT_FIELDS`, in their order. */
export const LIMIT_PARTS = Object.keys(LIMIT_FIELDS) as readonly (keyof typeof LIMIT_FIELDS)[];
