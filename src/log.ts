import { systemClock } from './clock.ts';

/** How much is logged: each level includes those before it. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What goes into a line beside time, level and event. Must hold no secret. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where lines go: the standard error, or what a test reads. */
export interface LogSink {
  /** Takes text; false when it wants no more until `drain`. */
  write(text: string): boolean;
  on(event: 'drain' | 'error', listener: () => void): unknown;
}

/** Text that waits for a reader that does not read. What comes when it is full is counted and left out. */
const MAX_WAITING_CHARACTERS = 1024 * 1024;
const MAX_STRING_CHARACTERS = 4_000;

/**
 * One JSON object a line. Never waits and never throws: when the reader of the pipe stands still, some lines wait, the rest is
 * dropped and counted; when it is gone, all are.
 */
export class Log {
  level: LogLevel = 'info';
  #sink: LogSink | null = null;
  #waiting = '';
  #blocked = false;
  #gone = false;
  #dropped = 0;

  /** `open` is called with the first line. */
  constructor(
    readonly open: () => LogSink,
    readonly nowMs: () => number,
  ) {}

  /** Lines that nobody will read. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether text is still on its way to a reader that takes nothing: then the end of the process would wait for it. */
  get isBlocked(): boolean {
    return this.#blocked && !this.#gone;
  }

  event(level: LogLevel, event: string, fields: LogFields = {}): void {
    if (LOG_LEVELS.indexOf(level) > LOG_LEVELS.indexOf(this.level)) return;
    this.#write(logLine(this.nowMs(), level, event, fields));
  }

  #write(line: string): void {
    if (this.#gone || (this.#blocked && this.#waiting.length + line.length > MAX_WAITING_CHARACTERS)) this.#dropped++;
    else if (this.#blocked) this.#waiting += line;
    else this.#send(line);
  }

  #drained(): void {
    this.#blocked = false;
    const waiting = this.#waiting;
    this.#waiting = '';
    if (waiting !== '') this.#send(waiting);
  }

  #send(text: string): void {
    this.#sink ??= this.#opened();
    this.#blocked = !this.#sink.write(text);
  }

  #opened(): LogSink {
    const sink = this.open();
    sink.on('drain', () => this.#drained());
    // Without a listener a closed pipe would end the process.
    sink.on('error', () => void (this.#gone = true));
    return sink;
  }
}

/** What looks like a key of ours or of a provider: it should not be here, and must not be seen. */
const SECRETS = /\b(?:p[ko]_(?:live|test)_|sk-)[\w-]{8,}/g;
/** Past what JSON escapes: control characters of eight bits, and the separators that some readers take for the end of a line. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029]/g;

/** One line of the log with its end. Values that are no JSON are written as text; whatever they hold, the line stays one line. */
export function logLine(atMs: number, level: LogLevel, event: string, fields: LogFields): string {
  const head = { time: new Date(atMs).toISOString(), level, event };
  return `${safe(jsonOf({ ...head, ...fields, ...head }) ?? jsonOf({ ...head, unwritable: true })!)}\n`;
}

function jsonOf(value: LogFields): string | null {
  try {
    return JSON.stringify(value, plain);
  } catch {
    return null;
  }
}

function plain(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'string' && value.length > MAX_STRING_CHARACTERS) return `${value.slice(0, MAX_STRING_CHARACTERS)}...`;
  return value;
}

function safe(json: string): string {
  return json
    .replace(SECRETS, (secret) => `${secret.slice(0, secret.startsWith('sk-') ? 3 : 8)}[hidden]`)
    .replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The log of this process, on the standard error. */
export const log = new Log(
  () => process.stderr,
  () => systemClock.nowMs(),
);

/** One JSON object a line on the standard error. Fields must hold no secret. */
export function logEvent(event: string, fields: LogFields = {}, level: LogLevel = 'info'): void {
  log.event(level, event, fields);
}
