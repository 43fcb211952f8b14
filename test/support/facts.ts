import type { Route } from '../../src/domain/candidate.ts';
import { Refusal } from '../../src/domain/errors.ts';
import type { PricingRules, RequestFacts } from '../../src/domain/facts.ts';
import { readFacts } from '../../src/wire/facts.ts';

/** The facts of a body; throws when it is refused, because the test wanted facts. */
export function factsOf(route: Route, body: Record<string, unknown>): RequestFacts {
  const facts = readFacts(route, body);
  if (facts instanceof Refusal) throw new Error(`refused: ${facts.message}`);
  return facts;
}

/** A chat body of one word, with what the test is about. */
export const chatFacts = (body: Record<string, unknown> = {}): RequestFacts =>
  factsOf('chat', { model: 'gpt-4.1', messages: [{ role: 'user', content: '' }], ...body });

/** A responses body of nothing, with what the test is about. */
export const responsesFacts = (body: Record<string, unknown> = {}): RequestFacts => factsOf('responses', { model: 'gpt-4.1', ...body });

/** An embeddings body, with what the test is about. */
export const embeddingFacts = (body: Record<string, unknown> = {}): RequestFacts =>
  factsOf('embeddings', { model: 'text-embedding-3-small', input: '', ...body });

/** The pricing rules of a project whose money is limited, with what the test is about. */
export function pricingRules(rules: Partial<PricingRules> = {}): PricingRules {
  return {
    moneyLimited: true,
    maxHoldShare: 0.2,
    unknownModelPrice: null,
    allowFields: [],
    toolPrices: {},
    maxToolCalls: 5,
    allowStoredReferences: false,
    ...rules,
  };
}
