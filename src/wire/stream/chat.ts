import type { Route } from '../../domain/candidate.ts';
import type { Usage } from '../../domain/usage.ts';
import { readUsage } from '../usage.ts';
import { objectIn, type Json } from '../usage/figures.ts';
import { halfTold, laterOf } from '../usage/told.ts';
import { isError, textBytes, type EventReader } from './events.ts';
import { varying, type PlainEvent, type Varying } from './template.ts';

/** Reasoning comes under several names, at times under two at once: then the longer one counts. */
const REASONING: ReadonlySet<string> = new Set(['reasoning', 'reasoning_content', 'reasoning_details', 'thinking']);

/** More choices than anybody may ask for (OpenAI: 128): what else calls itself one is not remembered. */
const MAX_CHOICES = 1_024;

/** Reads the chunks of a streamed chat completion. */
export class ChatEvents implements EventReader {
  failed = false;
  deliveredBytes = 0;
  readonly responseId = null;
  #usage: Usage | null = null;
  /** How much had been delivered when usage was told last. */
  #toldAtBytes = 0;
  #done = false;
  /** By index of the choice: whether its finish reason has come. */
  readonly #finished = new Map<number, boolean>();
  #tooMany = false;

  constructor(
    private readonly route: Route,
    /** How many choices were asked for. */
    private readonly choices: number,
  ) {}

  /** What was told before the last text came leaves that out. */
  get usage(): Usage | null {
    const told = this.#usage;
    return told === null || this.deliveredBytes === this.#toldAtBytes ? told : halfTold(told);
  }

  read(event: Json): void {
    if (isError(event)) this.failed = true;
    const { choices } = event;
    for (const entry of Array.isArray(choices) ? choices : []) {
      const choice = objectIn(entry);
      if (choice !== null) this.#readChoice(choice);
    }
    const usage = readUsage(this.route, event);
    if (usage === null) return;
    this.#usage = laterOf(this.#usage, usage);
    this.#toldAtBytes = this.deliveredBytes;
  }

  plain(event: Json): PlainEvent | null {
    const { choices } = event;
    if (!Array.isArray(choices) || choices.length !== 1) return null;
    const choice = objectIn(choices[0]);
    const delta = objectIn(choice?.['delta']);
    if (choice === null || delta === null || readUsage(this.route, event) !== null) return null;
    return { deliveredBytes: deltaBytes(delta), varying: varyingOf(event, choice, delta) };
  }

  readPlain(deliveredBytes: number): void {
    this.deliveredBytes += deliveredBytes;
  }

  readDone(): void {
    this.#done = true;
  }

  isComplete(ended: boolean): boolean {
    if (this.#done) return true;
    if (!ended || this.failed || this.#tooMany || this.#finished.size < Math.max(this.choices, 1)) return false;
    for (const finished of this.#finished.values()) if (!finished) return false;
    return true;
  }

  #readChoice(choice: Json): void {
    const index = typeof choice['index'] === 'number' ? choice['index'] : 0;
    const reason = choice['finish_reason'];
    const finished = typeof reason === 'string' && reason !== '';
    if (reason === 'error') this.failed = true;
    const isNew = !this.#finished.has(index);
    if (isNew && this.#finished.size === MAX_CHOICES) this.#tooMany = true;
    else if (isNew || finished) this.#finished.set(index, finished);
    const delta = objectIn(choice['delta']) ?? objectIn(choice['message']);
    this.deliveredBytes += delta === null ? textBytes(choice['text']) : deltaBytes(delta);
  }
}

function deltaBytes(delta: Json): number {
  let bytes = 0;
  let reasoning = 0;
  for (const name of Object.keys(delta)) {
    if (name === 'role') continue;
    if (REASONING.has(name)) reasoning = Math.max(reasoning, textBytes(delta[name]));
    else bytes += textBytes(delta[name]);
  }
  return bytes + reasoning;
}

/** What differs from one chunk to the next, with all providers. Of two names for the reasoning the longer counts: then neither may vary. */
function varyingOf(event: Json, choice: Json, delta: Json): Varying[] {
  const calls = delta['tool_calls'];
  const call = Array.isArray(calls) && calls.length === 1 ? objectIn(objectIn(calls[0])?.['function']) : null;
  const reasoning = Object.keys(delta).filter((name) => REASONING.has(name));
  const delivered: [string, unknown][] = [
    ['content', delta['content']],
    ['arguments', call?.['arguments']],
  ];
  if (reasoning.length === 1) delivered.push([reasoning[0]!, delta[reasoning[0]!]]);
  const others: [string, unknown][] = [
    ['id', event['id']],
    ['created', event['created']],
    ['obfuscation', event['obfuscation']],
    ['text', choice['text']],
  ];
  return [...varying(delivered, true), ...varying(others, false)];
}
