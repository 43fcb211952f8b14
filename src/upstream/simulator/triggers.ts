/** Models that misbehave on purpose, as the cards of payment providers do. */
export type Trigger = 'error-429' | 'error-500' | 'slow' | 'silent' | 'cut' | 'no-usage' | 'tools' | 'long' | 'overrun';

const TRIGGERS: readonly Trigger[] = ['error-429', 'error-500', 'slow', 'silent', 'cut', 'no-usage', 'tools', 'long', 'overrun'];

/** `sim-slow` waits this long before the first token, in milliseconds. */
export const SLOW_MS = 5_000;

/** `sim-silent` is silent this long, in milliseconds: a stream after its first event, another answer before its headers. */
export const SILENT_MS = 60_000;

/** How many tokens `sim-long` makes. */
export const LONG_TOKENS = 2_000;

/** The models that the simulator lists: any other name is answered too. */
export const SIMULATOR_MODELS: readonly string[] = [
  'gpt-4.1-mini',
  'o4-mini',
  'text-embedding-3-small',
  ...TRIGGERS.map((trigger) => `sim-${trigger}`),
];

/** What a model name asks for, or null for an ordinary answer. A prefix (`openai/sim-slow`) does not matter. */
export function triggerOf(model: string): Trigger | null {
  const name = model.toLowerCase().slice(model.lastIndexOf('/') + 1);
  return TRIGGERS.find((trigger) => name === `sim-${trigger}`) ?? null;
}

/** How long a model lets its caller wait for the first token, in milliseconds. */
export function pauseOf(trigger: Trigger | null): number {
  if (trigger === 'slow') return SLOW_MS;
  return trigger === 'silent' ? SILENT_MS : 0;
}
