import { isAbsent, isObject, type JsonObject } from './checks.ts';
import type { LongTexts } from '../json/long-text.ts';
import { Tally } from './tally.ts';
import { walkContent } from './content.ts';

const OFF: ReadonlySet<unknown> = new Set(['none', 'off', 'disabled', 'minimal', false]);

/** Whether the body asks for reasoning, in any of the spellings of the providers. A model may reason without being asked. */
export function asksReasoning(value: JsonObject): boolean {
  if (!isAbsent(value['reasoning_effort']) && !OFF.has(value['reasoning_effort'])) return true;
  if (value['enable_thinking'] === true || value['think'] === true) return true;
  const template = value['chat_template_kwargs'];
  if (isObject(template) && (template['enable_thinking'] === true || template['thinking'] === true)) return true;
  const thinking = value['thinking'];
  if (isObject(thinking) && !OFF.has(thinking['type'])) return true;
  const reasoning = value['reasoning'];
  return isObject(reasoning) && !OFF.has(reasoning['effort']) && reasoning['enabled'] !== false;
}

/** The tokens that the body sets aside for reasoning, or 0. */
export function reasoningBudgetOf(value: JsonObject): number {
  const reasoning = value['reasoning'];
  const thinking = value['thinking'];
  const budgets = [
    isObject(reasoning) ? reasoning['max_tokens'] : null,
    isObject(thinking) ? thinking['budget_tokens'] : null,
    value['thinking_budget'],
  ];
  let greatest = 0;
  for (const budget of budgets) if (Number.isSafeInteger(budget)) greatest = Math.max(greatest, budget as number);
  return greatest;
}

/** `thinking_budget`, or null when it is none. */
export function thinkingBudgetOf(value: JsonObject): number | null {
  const budget = value['thinking_budget'];
  return Number.isSafeInteger(budget) && (budget as number) > 0 ? (budget as number) : null;
}

/** Formats that force a shape on the answer, and what else the model is shown besides messages and tools. */
export function walkFormat(tally: Tally, value: JsonObject): void {
  const text = value['text'];
  for (const format of [value['response_format'], isObject(text) ? text['format'] : null]) {
    if (!isObject(format) || format['type'] === 'text') continue;
    tally.schema(format);
    if (format['type'] === 'json_schema') tally.wantsLongAnswer = true;
  }
  tally.json(value['documents']);
  tally.json(value['chat_template_kwargs']);
}

/** UTF-8 bytes of `prediction`: tokens of it that are rejected are billed as output. */
export function predictionBytesOf(value: JsonObject, longTexts: LongTexts): number {
  const prediction = value['prediction'];
  if (!isObject(prediction)) return 0;
  const tally = new Tally(longTexts);
  walkContent(tally, prediction['content']);
  return Math.max(tally.textBytes, tally.nfkcTextBytes);
}

/** `modalities` other than text. */
export function outputMediaOf(value: JsonObject): string[] {
  const modalities = value['modalities'];
  const named: unknown[] = Array.isArray(modalities) ? modalities : [];
  const media = named.filter((name): name is string => typeof name === 'string' && name !== 'text');
  if (isObject(value['audio']) && !media.includes('audio')) media.push('audio');
  return media;
}

/** OpenRouter's `provider.max_price`, USD per million tokens by part, or null. */
export function maxPriceOf(value: JsonObject): Record<string, number> | null {
  const provider = value['provider'];
  const prices = isObject(provider) ? provider['max_price'] : null;
  if (!isObject(prices)) return null;
  const out: Record<string, number> = {};
  for (const part of ['prompt', 'completion', 'request', 'image']) {
    const price = Number(prices[part] ?? Number.NaN);
    if (Number.isFinite(price) && price >= 0) out[part] = price;
  }
  return out;
}
