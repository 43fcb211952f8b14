/** W3C Trace Context: how a trace travels from one service to the next in the headers `traceparent` and `tracestate`. */

/** A valid `traceparent`, taken apart. Ids are lower-case hexadecimal. */
export interface TraceParent {
  /** 32 digits. */
  readonly traceId: string;
  /** The caller's span, 16 digits. */
  readonly spanId: string;
  /** Whether the caller records the trace. */
  readonly sampled: boolean;
}

/** The headers that carry a trace on. */
export interface TraceHeaders {
  readonly traceparent: string;
  /** Null when there is none, or when it was not well formed. */
  readonly tracestate: string | null;
}

const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);
/** What a version of the format that is still to come may add after the four fields. */
const MAX_TRACEPARENT_CHARACTERS = 256;

/** Takes a `traceparent` apart, or returns null when it is not valid: then it is as if none had been sent. */
export function parseTraceParent(text: string | null): TraceParent | null {
  if (text === null || text.length < 55 || text.length > MAX_TRACEPARENT_CHARACTERS) return null;
  const match = FORM.exec(text);
  if (match === null) return null;
  const [, version, traceId = '', spanId = '', flags = '', more] = match;
  // Version 00 has four fields and nothing more; ff is forbidden.
  if (version === 'ff' || (version === '00' && more !== undefined)) return null;
  if (traceId === NO_TRACE || spanId === NO_SPAN) return null;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** A `traceparent` of version 00. */
export function formatTraceParent({ traceId, spanId, sampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

const MAX_TRACESTATE_CHARACTERS = 512;
const MAX_TRACESTATE_MEMBERS = 32;
/** A member: `vendor=value` or `tenant@vendor=value`; between two commas there may also be nothing. */
const MEMBER = /^[ \t]*(?:[a-z0-9][a-z0-9_*/@-]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{1,256})?[ \t]*$/;

/** Whether a `tracestate` may be passed on. One that is not well formed is left out, and the trace goes on without it. */
export function isTraceState(text: string): boolean {
  if (text.length === 0 || text.length > MAX_TRACESTATE_CHARACTERS) return false;
  const members = text.split(',');
  return members.length <= MAX_TRACESTATE_MEMBERS && members.every((member) => MEMBER.test(member));
}

/** The trace headers of a request as they may be passed on unchanged; null when it has no valid `traceparent`. */
export function traceHeadersOf(headers: Headers): TraceHeaders | null {
  const traceparent = headers.get('traceparent');
  if (traceparent === null || parseTraceParent(traceparent) === null) return null;
  const tracestate = headers.get('tracestate');
  return { traceparent, tracestate: tracestate !== null && isTraceState(tracestate) ? tracestate : null };
}
