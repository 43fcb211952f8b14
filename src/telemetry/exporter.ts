import type { Stoppable, Upstream } from '../upstream/upstream.ts';
import type { Exposition } from './exposition.ts';
import { exportBody, type Exporting, type Span } from './otlp.ts';

/** Spans that wait; what comes when it is full is dropped. */
const MAX_WAITING = 4_096;
const MAX_BATCH = 512;
const BATCH_EVERY_MS = 2_000;
/** The longest that a collector may take to answer. */
const ANSWER_MS = 10_000;
/** How often a batch is sent, the first time included. */
const MAX_TRIES = 3;
const FIRST_PAUSE_MS = 1_000;
/** What OTLP says may be tried again. */
const RETRYABLE_STATUSES = new Set([429, 502, 503, 504]);

/** Where spans go. */
export interface ExporterOptions extends Exporting {
  readonly url: string;
  /** Secrets may be in here: never shown. */
  readonly headers: Readonly<Record<string, string>>;
  readonly http: Upstream;
  /** Told when exports begin to fail (a system's code or a status), and null when they work again. */
  readonly onTrouble: (why: string | null) => void;
  /** How long spans may wait for others in milliseconds: 2,000 when absent. */
  readonly batchEveryMs?: number;
}

type Sent = { readonly kind: 'taken' } | { readonly kind: 'refused' | 'try_again'; readonly why: string };

/**
 * Sends spans in batches, in the background, one batch at a time. It never grows and never hurries: a collector that fails is
 * asked again after a pause that grows, at most three times for a batch, and then the batch is dropped and counted.
 */
export class SpanExporter {
  #waiting: Span[] = [];
  #timer: Timer | null = null;
  #sending: Promise<void> | null = null;
  #stopping = false;
  #wake: (() => void) | null = null;
  #hangUp: (() => void) | null = null;
  #exported = 0;
  #dropped = 0;
  #failed = 0;
  #inTrouble = false;

  constructor(readonly options: ExporterOptions) {}

  add(spans: readonly Span[]): void {
    const room = MAX_WAITING - this.#waiting.length;
    this.#dropped += Math.max(0, spans.length - room);
    for (const span of spans.slice(0, Math.max(0, room))) this.#waiting.push(span);
    if (this.#waiting.length >= MAX_BATCH) this.#send();
    else this.#sendLater();
  }

  /** Sends what waits, for at most `timeoutMs`; what is left then is dropped. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping = true;
    this.#wake?.();
    this.#send();
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, timeoutMs);
    await Promise.race([this.#sending, late.promise]);
    clearTimeout(timer);
    this.#hangUp?.();
    this.#dropped += this.#waiting.length;
    this.#waiting = [];
    this.options.http.close();
  }

  writeTo(out: Exposition): void {
    out.counter('panicly_trace_spans_exported_total', 'Spans that the collector took.', this.#exported);
    out.counter(
      'panicly_trace_spans_dropped_total',
      'Spans that were given up: no room, or a collector that did not take them.',
      this.#dropped,
    );
    out.counter('panicly_trace_exports_failed_total', 'Exports that did not work, each try counted.', this.#failed);
    out.gauge('panicly_trace_spans_waiting', 'Spans that wait for the next export.', this.#waiting.length);
  }

  #sendLater(): void {
    this.#timer ??= setTimeout(() => this.#send(), this.options.batchEveryMs ?? BATCH_EVERY_MS);
    this.#timer.unref();
  }

  #send(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null;
      if (this.#waiting.length > 0) this.#sendLater();
    });
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH);
      if (await this.#deliver(batch)) this.#exported += batch.length;
      else this.#dropped += batch.length;
    }
  }

  async #deliver(batch: readonly Span[]): Promise<boolean> {
    const body = new TextEncoder().encode(exportBody(batch, this.options));
    for (let attempt = 1; ; attempt++) {
      const sent = await this.#post(body);
      this.#report(sent);
      if (sent.kind === 'taken') return true;
      this.#failed++;
      if (sent.kind === 'refused' || attempt === MAX_TRIES || this.#stopping) return false;
      await this.#pause(FIRST_PAUSE_MS * 4 ** (attempt - 1) * (0.5 + Math.random()));
    }
  }

  async #post(body: Uint8Array<ArrayBuffer>): Promise<Sent> {
    const { url, headers, http } = this.options;
    const request = { url, method: 'POST', body, signal: null, firstByteMs: ANSWER_MS, idleMs: ANSWER_MS } as const;
    const owner = { began: (exchange: Stoppable) => void (this.#hangUp = () => exchange.hangUp()) };
    const answer = await http.send({ ...request, owner, headers: { ...headers, 'content-type': 'application/json' } });
    if (answer.kind !== 'answer') return { kind: answer.kind === 'redirect' ? 'refused' : 'try_again', why: answer.code };
    // Nothing is done with the body; reading it to its end would let a collector keep us.
    answer.abort();
    if (answer.status >= 200 && answer.status <= 299) return { kind: 'taken' };
    return { kind: RETRYABLE_STATUSES.has(answer.status) ? 'try_again' : 'refused', why: String(answer.status) };
  }

  #report(sent: Sent): void {
    const inTrouble = sent.kind !== 'taken';
    if (inTrouble === this.#inTrouble) return;
    this.#inTrouble = inTrouble;
    this.options.onTrouble(sent.kind === 'taken' ? null : sent.why);
  }

  async #pause(ms: number): Promise<void> {
    if (this.#stopping) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
  }
}
