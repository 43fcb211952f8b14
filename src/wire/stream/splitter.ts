/** The greatest unfinished event that is kept for reading. A greater one passes unread. */
export const MAX_EVENT_BYTES = 16 * 1024 * 1024;

/** A greater buffer is given back once its event is over. */
const MAX_IDLE_BYTES = 256 * 1024;

const LF = 0x0a;
const CR = 0x0d;
const NO_BYTES = new Uint8Array(0);

/** Takes the events that a splitter finds. `bytes` is only lent until the call returns. */
export interface EventSink {
  /**
   * A whole event from `start` to `end`, its blank line included. When it has one data line, `dataStart` and `dataEnd`
   * are the positions of what follows `data:` and one space.
   */
  onEvent(bytes: Uint8Array, start: number, end: number, dataStart: number, dataEnd: number, dataLines: number): void;
  /** A line that the standard does not know: some servers report a failure as `error: {...}`. */
  onErrorLine(): void;
  /** Bytes of an event that was too great to read, or of a line that is no part of one. */
  onSkipped(bytes: number): void;
}

/**
 * Cuts bytes into server-sent events, however they come in pieces. Lines may end in LF, CRLF or CR.
 * A chunk of whole events is read in place; only an unfinished last event is copied.
 * Use: `feed`, then look at `source` and `consumed`, then `keep`.
 */
export class EventSplitter {
  /** What the last `feed` read: the chunk itself, or an unfinished event with the chunk behind it. */
  source: Uint8Array = NO_BYTES;
  /** Where in `source` the last whole event ended. */
  consumed = 0;

  #buffer = NO_BYTES;
  #heldBytes = 0;
  /** Once a CR was seen, lines are searched for both ends. */
  #usesCr = false;
  #skipping = false;
  #lineIsEmpty = false;
  #afterCr = false;

  /** Positions in `source`; they move along when what is unfinished is kept. */
  #lineStart = 0;
  #searchFrom = 0;
  #dataStart = 0;
  #dataEnd = 0;
  #dataLines = 0;

  constructor(private readonly sink: EventSink) {}

  /** Whether the next chunk begins with an event. */
  get isBetweenEvents(): boolean {
    return this.#heldBytes === 0 && !this.#skipping;
  }

  /** Takes a chunk and tells the sink of every event that is whole now. Between two events, whole ones up to `from` may be left out. */
  feed(chunk: Uint8Array, from = 0): void {
    if (!this.#usesCr) this.#usesCr = chunk.indexOf(CR) >= 0;
    if (this.#heldBytes > 0) this.#append(chunk);
    else this.source = chunk;
    if (from > 0) this.#lineStart = this.#searchFrom = from;
    this.consumed = this.#skipping ? this.#skip(chunk) : from;
    if (!this.#skipping) this.#read();
    if (this.source.length - this.consumed > MAX_EVENT_BYTES) this.#beginSkipping();
  }

  /** Keeps what is unfinished. `source` is lost. */
  keep(): void {
    const from = this.consumed;
    const rest = this.source.length - from;
    if (rest === 0) this.#release();
    else if (this.#heldBytes === 0) this.#append(from === 0 ? this.source : this.source.subarray(from));
    else {
      if (from > 0) this.#buffer.copyWithin(0, from, this.#heldBytes);
      this.#heldBytes = rest;
    }
    this.source = NO_BYTES;
    this.consumed = 0;
    this.#lineStart -= from;
    this.#searchFrom -= from;
    this.#dataStart -= from;
    this.#dataEnd -= from;
  }

  /** The end of the stream: what is unfinished counts as an event, though its blank line never came. */
  finish(): void {
    this.source = this.#buffer.subarray(0, this.#heldBytes);
    this.consumed = this.#heldBytes;
    const end = this.#heldBytes;
    if (end === 0) return;
    if (this.#lineStart < end) this.#line(this.#lineStart, this.source[end - 1] === CR ? end - 1 : end);
    this.#dispatch(0, end);
    this.#heldBytes = 0;
  }

  #read(): void {
    let eventStart = this.consumed;
    for (;;) {
      const end = this.#endOfLine(this.#searchFrom);
      if (end < 0) break;
      const start = this.#lineStart;
      const next = this.source[end] === CR && this.source[end + 1] === LF ? end + 2 : end + 1;
      this.#lineStart = next;
      this.#searchFrom = next;
      if (end > start) this.#line(start, end);
      else {
        this.#dispatch(eventStart, next);
        eventStart = next;
      }
    }
    this.#searchFrom = this.#unsearched();
    this.consumed = eventStart;
  }

  /** The position of the next line end, or -1. A CR that is the last byte may be half of a CRLF: it has to wait. */
  #endOfLine(from: number): number {
    const { source } = this;
    if (!this.#usesCr) return source.indexOf(LF, from);
    for (let at = from; at < source.length; at++) {
      const byte = source[at];
      if (byte === LF || (byte === CR && at + 1 < source.length)) return at;
    }
    return -1;
  }

  #unsearched(): number {
    const { length } = this.source;
    return this.source[length - 1] === CR ? Math.max(length - 1, this.#lineStart) : length;
  }

  #line(from: number, end: number): void {
    const { source } = this;
    const start = source[from] === 0xef ? behindMark(source, from) : from;
    if (source[start] === 0x64 && isField(source, start, end, 'data')) {
      this.#dataStart = source[start + 5] === 0x20 && start + 5 < end ? start + 6 : start + 5;
      this.#dataEnd = end;
      this.#dataLines++;
    } else if (source[start] === 0x65) {
      if (isField(source, start, end, 'error')) this.sink.onErrorLine();
    } else if (!isFieldLike(source[start]!)) this.sink.onSkipped(end - start);
  }

  #dispatch(start: number, end: number): void {
    const lines = this.#dataLines;
    this.#dataLines = 0;
    if (lines > 0) this.sink.onEvent(this.source, start, end, this.#dataStart, this.#dataEnd, lines);
  }

  #append(bytes: Uint8Array): void {
    const length = this.#heldBytes + bytes.length;
    if (length > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(1024, 2 * this.#buffer.length, length));
      grown.set(this.#buffer.subarray(0, this.#heldBytes));
      this.#buffer = grown;
    }
    this.#buffer.set(bytes, this.#heldBytes);
    this.#heldBytes = length;
    this.source = this.#buffer.subarray(0, length);
  }

  #release(): void {
    this.#heldBytes = 0;
    if (this.#buffer.length > MAX_IDLE_BYTES) this.#buffer = NO_BYTES;
  }

  #beginSkipping(): void {
    this.#skipping = true;
    this.#dataLines = 0;
    this.#afterCr = this.source[this.source.length - 1] === CR;
    // A last CR has ended its line, though it was still waiting for its LF.
    this.#lineIsEmpty = this.#afterCr || this.#lineStart === this.source.length;
    this.sink.onSkipped(this.source.length - this.consumed);
    this.consumed = this.source.length;
    this.#buffer = NO_BYTES;
  }

  /** Passes over an event that is too great: the position after its blank line, or the end of the chunk. */
  #skip(chunk: Uint8Array): number {
    let at = 0;
    while (at < chunk.length && this.#skipping) {
      const byte = chunk[at++];
      const isLineEnd = byte === CR || (byte === LF && !this.#afterCr);
      if (isLineEnd && this.#lineIsEmpty) this.#skipping = false;
      if (isLineEnd || byte !== LF) this.#lineIsEmpty = isLineEnd;
      this.#afterCr = byte === CR;
    }
    this.sink.onSkipped(at);
    this.#lineStart = at;
    this.#searchFrom = at;
    return at;
  }
}

/** A stream may begin with a byte order mark, which is no part of its first line. */
function behindMark(bytes: Uint8Array, at: number): number {
  return bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf ? at + 3 : at;
}

/** Whether a line that begins so may be one of the standard's: a comment, or `id`, `retry` and the like. Else it may be text of the model. */
function isFieldLike(first: number): boolean {
  return first === 0x3a || first === 0x64 || first === 0x69 || first === 0x72;
}

/** Whether the line is this field with a colon. */
function isField(bytes: Uint8Array, start: number, end: number, name: string): boolean {
  if (end - start <= name.length || bytes[start + name.length] !== 0x3a) return false;
  for (let index = 0; index < name.length; index++) {
    if (bytes[start + index] !== name.charCodeAt(index)) return false;
  }
  return true;
}

/** The data of an event with several data lines: joined with line feeds, as the standard says. */
export function joinedData(bytes: Uint8Array, start: number, end: number): string {
  const lines = new TextDecoder().decode(bytes.subarray(start, end)).split(/\r\n|\n|\r/);
  const data = lines.filter((line) => line.startsWith('data:'));
  return data.map((line) => line.slice(line[5] === ' ' ? 6 : 5)).join('\n');
}
