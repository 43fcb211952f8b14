import type { RequestFacts } from '../domain/facts.ts';
import { baseName } from './harmonize.ts';
import type { Profile } from './profile.ts';

/** The longest chain of thought that Alibaba's list of models names (qwen3.5-plus). */
const LONGEST_THOUGHT_TOKENS = 81_920;

/** Models that do not think unless they are asked to: the commercial Qwen without a number, and those before Qwen3. */
const THINKS_WHEN_ASKED = /^(?:qwen-|qwen[12])/;
/** Models that cannot be asked not to. */
const ALWAYS_THINKS = /think|reason|^(?:qwq|qvq|deepseek-r)/;
/** Models that obey `thinking_budget`: Qwen3 and after, on the chat route (guide to deep thinking). */
const OBEYS_BUDGET = /^qwen/;

function mayThink(facts: RequestFacts, name: string): boolean {
  if (ALWAYS_THINKS.test(name)) return true;
  return facts.asksReasoning || (!facts.declinesReasoning && !THINKS_WHEN_ASKED.test(name));
}

/** What an answer may be thought out with, in tokens, where not every cap bounds it. */
export interface Thought {
  /** The most of it that the cap does not bound. */
  readonly besideCap: number;
  /** The most of it that the cap bounds together with the answer. */
  readonly underCap: number;
}

const NO_THOUGHT: Thought = { besideCap: 0, underCap: 0 };

/** How much is thought, and whether the cap that will be in the body bounds it. `answerLimit` is that of an answer that nobody caps. */
export function thoughtOf(facts: RequestFacts, answerLimit: number, profile: Profile): Thought {
  const { answerOnlyCaps } = profile;
  if (answerOnlyCaps.length === 0 || facts.route === 'embeddings') return NO_THOUGHT;
  const tokens = longestThought(facts, answerLimit);
  const sent = Object.keys(facts.outputCaps);
  const caps = sent.length > 0 ? sent : [profile.capField[facts.route] ?? ''];
  return caps.every((name) => answerOnlyCaps.includes(name)) ? { besideCap: tokens, underCap: 0 } : { besideCap: 0, underCap: tokens };
}

function longestThought(facts: RequestFacts, answerLimit: number): number {
  const name = baseName(facts.model);
  if (!mayThink(facts, name)) return 0;
  const budget = facts.thinkingBudgetTokens;
  if (budget !== null && facts.route === 'chat' && OBEYS_BUDGET.test(name)) return budget;
  return Math.max(LONGEST_THOUGHT_TOKENS, answerLimit);
}
