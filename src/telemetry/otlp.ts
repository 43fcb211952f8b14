/** The JSON form of OTLP, as far as we need it. Ids are hexadecimal, 64-bit numbers are decimal text, enums are numbers. */

/** `SpanKind` of the protocol. */
export const SPAN_KIND = { internal: 1, server: 2, client: 3 } as const;

/** A value of an attribute. */
export type AttributeValue = string | number | boolean;

/** A span before it is written. Times are milliseconds since 1970, with fractions. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | null;
  readonly tracestate: string | null;
  readonly name: string;
  readonly kind: (typeof SPAN_KIND)[keyof typeof SPAN_KIND];
  readonly startMs: number;
  readonly endMs: number;
  /** Those that are null are left out. */
  readonly attributes: Readonly<Record<string, AttributeValue | null>>;
  readonly failed: boolean;
}

/** Who exports. */
export interface Exporting {
  readonly serviceName: string;
  readonly version: string;
}

const STATUS_ERROR = 2;

/** The body of an `ExportTraceServiceRequest`. */
export function exportBody(spans: readonly Span[], { serviceName, version }: Exporting): string {
  const resource = { attributes: attributes({ 'service.name': serviceName, 'service.version': version }) };
  return JSON.stringify({
    resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'panicly', version }, spans: spans.map(written) }] }],
  });
}

function written(span: Span): object {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentId === null ? {} : { parentSpanId: span.parentId }),
    ...(span.tracestate === null ? {} : { traceState: span.tracestate }),
    name: span.name,
    kind: span.kind,
    startTimeUnixNano: nanos(span.startMs),
    endTimeUnixNano: nanos(Math.max(span.startMs, span.endMs)),
    attributes: attributes(span.attributes),
    ...(span.failed ? { status: { code: STATUS_ERROR } } : {}),
  };
}

/** A millisecond since 1970 in nanoseconds leaves the range of exact numbers, so the parts are put together as text. */
function nanos(ms: number): string {
  const whole = Math.floor(ms);
  const rest = Math.floor((ms - whole) * 1_000_000);
  return `${whole}${String(rest).padStart(6, '0')}`;
}

function attributes(values: Readonly<Record<string, AttributeValue | null>>): object[] {
  return Object.entries(values).flatMap(([key, value]) => (value === null ? [] : [{ key, value: anyValue(value) }]));
}

function anyValue(value: AttributeValue): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
