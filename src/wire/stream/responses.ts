import type { Usage } from '../../domain/usage.ts';
import { idOf } from '../answer.ts';
import { readUsage } from '../usage.ts';
import { objectIn, type Json } from '../usage/figures.ts';
import { laterOf } from '../usage/told.ts';
import { isError, textBytes, type EventReader } from './events.ts';
import { varying, type PlainEvent } from './template.ts';

/** Events after which nothing comes. */
const TERMINAL: ReadonlySet<unknown> = new Set(['response.completed', 'response.incomplete', 'response.failed', 'response.cancelled']);

/** Reads the events of a streamed response. Their `type` is in the data: `event:` lines may be missing. */
export class ResponsesEvents implements EventReader {
  usage: Usage | null = null;
  responseId: string | null = null;
  failed = false;
  #ended = false;
  #deltaBytes = 0;
  #itemBytes = 0;

  /** Some servers send whole items without deltas: the greater of the two sums. */
  get deliveredBytes(): number {
    return Math.max(this.#deltaBytes, this.#itemBytes);
  }

  read(event: Json): void {
    const { type } = event;
    if (type === 'response.failed' || isError(event)) this.failed = true;
    if (typeof type === 'string' && type.endsWith('.delta')) this.#deltaBytes += textBytes(event['delta']);
    else if (type === 'response.output_item.done') this.#itemBytes += textBytes(event['item']);
    if (TERMINAL.has(type)) this.#ended = true;
    const response = objectIn(event['response']);
    if (response === null) return;
    this.responseId = idOf(response) ?? this.responseId;
    const usage = readUsage('responses', event);
    if (usage !== null) this.usage = laterOf(this.usage, usage);
  }

  plain(event: Json): PlainEvent | null {
    const { type, delta, obfuscation } = event;
    if (typeof type !== 'string' || !type.endsWith('.delta') || objectIn(event['response']) !== null) return null;
    const others: [string, unknown][] = [
      ['obfuscation', obfuscation],
      ['sequence_number', event['sequence_number']],
    ];
    return { deliveredBytes: textBytes(delta), varying: [...varying([['delta', delta]], true), ...varying(others, false)] };
  }

  readPlain(deliveredBytes: number): void {
    this.#deltaBytes += deliveredBytes;
  }

  /** `[DONE]` is not a part of this protocol. */
  readDone(): void {}

  isComplete(): boolean {
    return this.#ended;
  }
}
