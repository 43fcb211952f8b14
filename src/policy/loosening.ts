import { parseUsd } from '../domain/money.ts';

/** Whether a change of one value lets more pass than before. */
export type Loosens = (before: unknown, after: unknown) => boolean;

const MODES = ['off', 'observe', 'enforce'];

/** A limit: null is without, a greater one lets more pass. */
const limit: Loosens = (before, after) => amountOf(after) > amountOf(before);
/** The same limit over a shorter time lets more pass. */
const windowOf: Loosens = (before, after) => amountOf(after) < amountOf(before);
const mode: Loosens = (before, after) => MODES.indexOf(String(after)) < MODES.indexOf(String(before));
const never: Loosens = () => false;
const whenChanged: Loosens = () => true;
const becomes =
  (value: unknown): Loosens =>
  (_, after) =>
    after === value;

/** Every single value of a project's policy, by its path; lists and tables have rules of their own in `changes.ts`. */
export const LOOSENS: Readonly<Record<string, Loosens>> = {
  'sentry.cut_streams': becomes(false),
  'network.mode': mode,
  'region.mode': mode,
  'region.unknown': becomes('allow'),
  'models.mode': mode,
  'burst.mode': mode,
  'burst.requests': limit,
  'burst.key_requests': limit,
  'burst.window_seconds': windowOf,
  'abuse.mode': mode,
  'abuse.limit_usd': limit,
  'abuse.key_limit_usd': limit,
  'abuse.window_seconds': windowOf,
  // Only one limit for the whole project is known to be the strictest.
  'abuse.per': (_, after) => after !== 'project',
  'token_guard.mode': mode,
  'token_guard.max_input_tokens': limit,
  'token_guard.max_output_tokens': limit,
  'token_guard.max_total_tokens': limit,
  'token_guard.on_output_exceed': becomes('clamp'),
  'loop_guard.mode': mode,
  'loop_guard.repeats': limit,
  'loop_guard.window_seconds': windowOf,
  'concurrency.mode': mode,
  'concurrency.requests': limit,
  'concurrency.key_requests': limit,
  'pricing.max_hold_share': never,
  // A price for the unknown lets unknown models pass.
  'pricing.unknown_model_price': (_, after) => after !== null,
  'pricing.max_tool_calls': limit,
  'pricing.allow_stored_references': becomes(true),
  retryable_status: never,
};

/** Lists and tables: what is put in and what is taken out. `isEmpty` is how the list is afterwards, or was before. */
export const LIST_LOOSENS: Readonly<
  Record<string, { readonly added: (wasEmpty: boolean) => boolean; readonly removed: (isEmpty: boolean) => boolean }>
> = {
  // An allow list that is empty allows everything.
  'network.allow': { added: (wasEmpty) => !wasEmpty, removed: (isEmpty) => isEmpty },
  'region.allow': { added: (wasEmpty) => !wasEmpty, removed: (isEmpty) => isEmpty },
  'models.allow': { added: (wasEmpty) => !wasEmpty, removed: (isEmpty) => isEmpty },
  'network.block': { added: () => false, removed: () => true },
  'region.block': { added: () => false, removed: () => true },
  'models.block': { added: () => false, removed: () => true },
  'pricing.allow_fields': { added: () => true, removed: () => false },
};

/** Tables of free names. */
export const TABLE_LOOSENS: Readonly<Record<string, { readonly added: boolean; readonly removed: boolean; readonly changed: Loosens }>> = {
  // A name of which nobody made use yet changes nothing; otherwise it depends on the lists that name it.
  'region.define': { added: false, removed: true, changed: whenChanged },
  // A hosted tool with a price may be used; a lower one lets more calls pass.
  'pricing.tool_prices': { added: true, removed: false, changed: (before, after) => amountOf(after) < amountOf(before) },
};

/** What may change of a budget that stays the same budget. */
export const BUDGET_LOOSENS = { limit_usd: limit, mode } as const;

/** A figure, or an amount in USD as text; null is without limit. */
function amountOf(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? (parseUsd(value) ?? Infinity) : Infinity;
}
