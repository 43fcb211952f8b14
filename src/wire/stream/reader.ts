import type { StreamReader } from '../../domain/answer.ts';
import type { Usage } from '../../domain/usage.ts';
import { objectIn } from '../usage/figures.ts';
import type { EventReader } from './events.ts';
import { EventSplitter, joinedData, type EventSink } from './splitter.ts';
import { cutInjectedUsage, isUsageChunk, withoutCuts, type Cuts } from './strip.ts';
import { Template, type PlainEvent, type TemplatePlace } from './template.ts';

const decoder = new TextDecoder();

/** A template takes as long as reading two events: one is made for so many events that were like the last ones, and a few at the beginning. */
const EVENTS_FOR_A_TEMPLATE = 8;
const FIRST_TEMPLATES = 8;

/** The template that was made last, by any stream. */
export interface LastTemplate {
  template: Template | null;
}

/** Cuts a stream into events, has them read, and takes out what was injected when it `strips`. */
export class Reader implements StreamReader, EventSink {
  readonly #splitter = new EventSplitter(this);
  #cuts: Cuts = [];
  #ended = false;
  #failed = false;
  #unreadBytes = 0;
  #template: Template | null = null;
  #templatesLeft = FIRST_TEMPLATES;

  constructor(
    private readonly events: EventReader,
    private readonly strips: boolean,
    private readonly last: LastTemplate,
  ) {}

  get complete(): boolean {
    return this.events.isComplete(this.#ended);
  }

  get usage(): Usage | null {
    return this.events.usage;
  }

  get deliveredTokenBound(): number {
    return this.events.deliveredBytes + this.#unreadBytes;
  }

  get responseId(): string | null {
    return this.events.responseId;
  }

  get failed(): boolean {
    return this.#failed || this.events.failed;
  }

  push(chunk: Uint8Array): Uint8Array | null {
    const splitter = this.#splitter;
    const from = this.#template !== null && splitter.isBetweenEvents ? this.#readAlike(this.#template, chunk) : 0;
    if (from > 0 && from === chunk.length) return this.#cuts.length === 0 ? chunk : this.#withoutCuts(chunk, from);
    splitter.feed(chunk, from);
    const passed = this.strips ? this.#passed(chunk) : chunk;
    splitter.keep();
    return passed;
  }

  flush(): Uint8Array | null {
    this.#splitter.finish();
    this.#ended = true;
    return this.strips ? this.#passed(null) : null;
  }

  onErrorLine(): void {
    this.#failed = true;
  }

  onSkipped(bytes: number): void {
    this.#unreadBytes += bytes;
  }

  onEvent(bytes: Uint8Array, start: number, end: number, dataStart: number, dataEnd: number, dataLines: number): void {
    if (dataEnd - dataStart < 16 && dataLines === 1 && isDone(bytes, dataStart)) return this.events.readDone();
    const text = dataLines === 1 ? decoder.decode(bytes.subarray(dataStart, dataEnd)) : joinedData(bytes, start, end);
    const event = parsed(text);
    if (event === null) {
      // What we cannot read may be text of the model.
      this.#unreadBytes += dataLines === 1 ? dataEnd - dataStart : end - start;
      return;
    }
    this.events.read(event);
    const cuts = this.#cuts;
    if (dataLines !== 1) {
      if (this.strips && isUsageChunk(event)) cuts.push(start, end);
      return;
    }
    const cutsBefore = cuts.length;
    if (this.strips) cutInjectedUsage(cuts, bytes, { start, end, dataStart }, event);
    if (this.#templatesLeft < 1) return;
    const plain = this.events.plain(event);
    if (plain === null) return;
    const [cutFrom = end, cutTo = end] = cuts.slice(cutsBefore);
    this.#template = this.#templateOf(bytes, { start, end, cutFrom, cutTo }, plain) ?? this.#template;
    this.#templatesLeft--;
  }

  /** The last one that was made, when this event is like it too: streams of one model then share it, and it is warm for a thousand of them. */
  #templateOf(bytes: Uint8Array, place: TemplatePlace, plain: PlainEvent): Template | null {
    const { last } = this;
    if (last.template?.fits(bytes, place) === true) return last.template;
    const made = Template.of(bytes, place, plain);
    if (made !== null) last.template = made;
    return made;
  }

  /** Reads the whole events at the beginning of a chunk that are like the template: the position behind them. */
  #readAlike(template: Template, chunk: Uint8Array): number {
    let from = 0;
    for (;;) {
      const end = template.match(chunk, from);
      if (end < 0) return from;
      this.events.readPlain(template.deliveredBytes);
      if (template.cutFrom < template.cutTo) this.#cuts.push(template.cutFrom + template.shift, template.cutTo + template.shift);
      this.#templatesLeft += 1 / EVENTS_FOR_A_TEMPLATE;
      from = end;
    }
  }

  #passed(chunk: Uint8Array | null): Uint8Array | null {
    const { source, consumed } = this.#splitter;
    if (this.#cuts.length === 0 && source === chunk && consumed === chunk.length) return chunk;
    return consumed === 0 ? null : this.#withoutCuts(source, consumed);
  }

  #withoutCuts(source: Uint8Array, length: number): Uint8Array | null {
    const cuts = this.#cuts;
    this.#cuts = [];
    return withoutCuts(source, length, cuts);
  }
}

function parsed(text: string): Readonly<Record<string, unknown>> | null {
  try {
    return objectIn(JSON.parse(text));
  } catch {
    return null;
  }
}

/** `[DONE]` */
function isDone(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at] === 0x5b &&
    bytes[at + 1] === 0x44 &&
    bytes[at + 2] === 0x4f &&
    bytes[at + 3] === 0x4e &&
    bytes[at + 4] === 0x45 &&
    bytes[at + 5] === 0x5d
  );
}
