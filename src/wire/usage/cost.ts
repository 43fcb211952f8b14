import { objectIn, type Figures, type Json } from './figures.ts';

/** xAI counts cost in ticks of 1e-10 USD; ten make a nano-USD. Source: its recorded usage, recomputed from its price list. */
const TICKS_PER_NANO_USD = 10;

/** What the provider says the whole request cost, in nano-USD, or null when it says nothing. */
export function readCost(usage: Json, figures: Figures): number | null {
  const claims = [
    openRouterCost(usage, figures),
    figures.units(usage['cost_in_usd_ticks'], TICKS_PER_NANO_USD),
    figures.usd(usage['estimated_cost']),
  ];
  return greatest(claims);
}

/**
 * OpenRouter: `cost` is what it takes from our credits, `upstream_inference_cost` what the model's provider takes.
 * With a key of our own (`is_byok`) both are paid, else the second is a part of the first. Perplexity: `cost` is an object.
 */
function openRouterCost(usage: Json, figures: Figures): number | null {
  const own = costMember(usage['cost'], figures);
  const upstream = upstreamCost(objectIn(usage['cost_details']), figures);
  if (usage['is_byok'] === true && own !== null && upstream !== null) return own + upstream;
  return greatest([own, upstream]);
}

function costMember(cost: unknown, figures: Figures): number | null {
  const parts = objectIn(cost);
  if (parts === null) return figures.usd(cost);
  const currency = parts['currency'] ?? 'USD';
  if (currency !== 'USD') {
    figures.flag('cost_not_usd');
    return null;
  }
  return figures.usd(parts['total_cost']);
}

function upstreamCost(details: Json | null, figures: Figures): number | null {
  if (details === null) return null;
  const input = figures.usd(details['upstream_inference_prompt_cost'] ?? details['upstream_inference_input_cost']);
  const output = figures.usd(details['upstream_inference_completions_cost'] ?? details['upstream_inference_output_cost']);
  const whole = figures.usd(details['upstream_inference_cost']);
  const parts = input === null && output === null ? null : (input ?? 0) + (output ?? 0);
  // Each part was rounded up by itself: only where the whole is missing do they stand for it.
  return whole !== null && whole > 0 ? whole : greatest([whole, parts]);
}

function greatest(amounts: readonly (number | null)[]): number | null {
  let greatest: number | null = null;
  for (const amount of amounts) if (amount !== null && (greatest === null || amount > greatest)) greatest = amount;
  return greatest;
}
