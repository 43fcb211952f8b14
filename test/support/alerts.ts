import { json, type MockProvider } from './mock-provider.ts';
import type { Answer, Scenario } from './scenario.ts';

/** A chat answer that says it used so many output tokens. */
export function using(outputTokens: number) {
  const choice = { index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' };
  const usage = { prompt_tokens: 9, completion_tokens: outputTokens, total_tokens: 9 + outputTokens };
  return json({ id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'gpt-4.1-mini', choices: [choice], usage });
}

/** Connects the mock at a price of 1 USD for ten output tokens, under one budget a day of 10 USD. */
export async function connectDear(scenario: Scenario, provider: MockProvider, policy: object = DAY_BUDGET): Promise<void> {
  provider.behave(using(10));
  const connection = { name: 'mock', kind: 'openai', base_url: provider.baseUrl, models: ['*'] };
  const answers = [
    await scenario.operate('POST', '/projects/default/providers', connection),
    await scenario.operate('PUT', '/prices/openai/gpt-4.1-mini', { output_usd: '100000' }),
    await scenario.operate('PUT', '/projects/default/policy', policy),
  ];
  for (const { status, text } of answers) if (status > 299) throw new Error(text);
}

export const DAY_BUDGET = {
  abuse: { mode: 'off' },
  loop_guard: { mode: 'off' },
  budgets: [{ scope: 'project', period: 'day', limit_usd: '10.00' }],
};

/** A live request that costs a dollar. */
export function dollar(scenario: Scenario, body: object = {}): Promise<Answer> {
  return scenario.chat(scenario.made.liveKey, { max_tokens: 10, ...body });
}

/** Makes an alert, and returns what the operator is told. */
export async function makeAlert(scenario: Scenario, body: object): Promise<Readonly<Record<string, unknown>>> {
  const made = await scenario.operate('POST', '/alerts', { name: 'ops', ...body });
  if (made.status !== 201) throw new Error(made.text);
  return made.json;
}

/** One look of the desk, and all that it sends. */
export async function look(scenario: Scenario): Promise<void> {
  await scenario.office.alerts.turn();
  await scenario.office.alerts.idle();
}
