import { parseDecisionId } from '../../src/domain/ids.ts';
import { reading } from './ledger-file.ts';
import type { Played, Recording } from './replay.ts';

interface Settled {
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
}

/** Tokens as a provider shows them; absent figures are 0. */
export interface Tokens {
  readonly input: number;
  readonly output: number;
  readonly total: number;
}

/** The answered 200s whose bodies show a usage, with it. */
export function withShownUsage(played: readonly Played[]): { readonly one: Played; readonly shown: Tokens }[] {
  return played.flatMap((one) => {
    const shown = one.recording.status === 200 && one.exception === null ? shownUsage(one.recording) : null;
    return shown === null ? [] : [{ one, shown }];
  });
}

/** Whether the settlement of each answered 200 holds the usage that its body shows. One sentence for each that does not. */
export function usageDifferences(path: string, played: readonly Played[]): string[] {
  return reading(path, (db) => {
    const row = db.query<Settled, [number]>('SELECT input_tokens, output_tokens FROM settlements WHERE decision_seq = ?');
    return withShownUsage(played).flatMap(({ one, shown }) => {
      const settled = row.get(parseDecisionId(one.decisionId ?? '')?.seq ?? 0);
      const output = Math.max(shown.output, shown.total - shown.input);
      if (settled?.input_tokens === shown.input && settled.output_tokens === output) return [];
      return [`${one.recording.name} [${one.arrival}]: settled ${JSON.stringify(settled)}, shown ${JSON.stringify(shown)}`];
    });
  });
}

/** The last usage in a body, read in the plainest way: by another hand than the gateway's. */
function shownUsage({ body }: Recording): Tokens | null {
  const text = Buffer.from(body).toString('utf8');
  const whole = parse(text);
  const events =
    whole === null
      ? text
          .split(/\r?\n/)
          .filter((line) => line.startsWith('data:'))
          .map((line) => parse(line.slice(5)))
      : [whole];
  let last: Tokens | null = null;
  for (const event of events) last = tokensOf(event) ?? last;
  return last;
}

function tokensOf(event: Json | null): Tokens | null {
  const usage = object(event?.['usage']) ?? object(object(event?.['response'])?.['usage']) ?? object(object(event?.['x_groq'])?.['usage']);
  const input = number(usage?.['prompt_tokens']) ?? number(usage?.['input_tokens']);
  const output = number(usage?.['completion_tokens']) ?? number(usage?.['output_tokens']) ?? 0;
  return input === null ? null : { input, output, total: number(usage?.['total_tokens']) ?? 0 };
}

type Json = Readonly<Record<string, unknown>>;

function parse(text: string): Json | null {
  try {
    return object(JSON.parse(text));
  } catch {
    return null;
  }
}

function object(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
}

function number(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
