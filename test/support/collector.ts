/** A span as it arrived: attributes as plain values. */
export interface SeenSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status?: { readonly code: number };
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

interface WireValue {
  readonly stringValue?: string;
  readonly intValue?: string;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
}

interface WireAttribute {
  readonly key: string;
  readonly value: WireValue;
}

type WireSpan = Omit<SeenSpan, 'attributes'> & { readonly attributes: readonly WireAttribute[] };

interface WireBody {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly WireAttribute[] };
    readonly scopeSpans: readonly { readonly scope: { readonly name: string }; readonly spans: readonly WireSpan[] }[];
  }[];
}

/** A collector of traces on this machine that checks the form of what it is sent. */
export class Collector {
  readonly spans: SeenSpan[] = [];
  readonly requests: { readonly path: string; readonly headers: Headers; readonly text: string }[] = [];
  /** What it answers with. */
  status = 200;
  readonly resource: Record<string, string | number | boolean> = {};
  readonly #server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: (request) => this.#take(request) });
  #waiters: { readonly enough: () => boolean; readonly resolve: () => void }[] = [];

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  /** Resolves when `count` spans have arrived in all. */
  arrived(count: number): Promise<void> {
    return this.#until(() => this.spans.length >= count);
  }

  /** Resolves when `count` exports have arrived in all, whatever was answered. */
  asked(count: number): Promise<void> {
    return this.#until(() => this.requests.length >= count);
  }

  close(): Promise<void> {
    return this.#server.stop(true);
  }

  async #until(enough: () => boolean): Promise<void> {
    if (enough()) return;
    await new Promise<void>((resolve) => this.#waiters.push({ enough, resolve }));
  }

  async #take(request: Request): Promise<Response> {
    const text = await request.text();
    this.requests.push({ path: new URL(request.url).pathname, headers: request.headers, text });
    if (this.status === 200) this.#read(JSON.parse(text) as WireBody);
    const ready = this.#waiters.filter(({ enough }) => enough());
    this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter));
    for (const { resolve } of ready) resolve();
    return Response.json({}, { status: this.status });
  }

  #read({ resourceSpans }: WireBody): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      Object.assign(this.resource, plain(resource.attributes));
      for (const { spans } of scopeSpans) for (const span of spans) this.spans.push({ ...span, attributes: plain(span.attributes) });
    }
  }
}

function plain(attributes: readonly WireAttribute[]): Record<string, string | number | boolean> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => {
      if (Object.keys(value).length !== 1) throw new Error(`an attribute has one value: ${key}`);
      if (value.intValue !== undefined && typeof value.intValue !== 'string') throw new Error(`64 bits are text: ${key}`);
      return [key, value.stringValue ?? value.boolValue ?? value.doubleValue ?? Number(value.intValue)];
    }),
  );
}
