import { Refusal } from '../domain/errors.ts';
import { parseBody, type JsonBody } from '../wire/json.ts';
import type { BodyBudget } from './body-budget.ts';

/** Limits of receiving. */
export interface ReceiveLimits {
  readonly bodyBytes: number;
  readonly receiveMs: number;
}

/** A checked body, and what it takes of the body budget until the request is answered. */
export interface Received {
  readonly body: JsonBody;
  readonly reservedBytes: number;
}

/** Reads the body once and checks it (I5). The caller gives `reservedBytes` back when the request is answered. */
export async function receive(request: Request, limits: ReceiveLimits, budget: BodyBudget): Promise<Received | Refusal> {
  const refusal = checkHeaders(request.headers, limits);
  if (refusal) return refusal;
  const declared = request.headers.get('content-length');
  // A body without a length may become as large as the limit: it is counted as that.
  const reservedBytes = declared === null ? limits.bodyBytes : Number(declared);
  if (!budget.take(reservedBytes))
    return new Refusal('overloaded', 'Too many request bodies are in memory (limits.bodies_in_flight_bytes). Try again in a moment.', {
      retryAfterSeconds: 1,
    });
  const body = await readBody(request, limits);
  if (!(body instanceof Refusal)) return { body, reservedBytes };
  budget.give(reservedBytes);
  return body;
}

async function readBody(request: Request, limits: ReceiveLimits): Promise<JsonBody | Refusal> {
  let bytes: Uint8Array;
  try {
    bytes = await readWithin(request, limits.receiveMs);
  } catch (error) {
    return error instanceof ReceiveTimeout
      ? new Refusal(
          'receive_timeout',
          `The request body did not arrive within ${limits.receiveMs / 1000} seconds (limits.receive_seconds).`,
        )
      : new Refusal('invalid_json', 'The request body could not be read to its end.');
  }
  return bytes.byteLength > limits.bodyBytes ? tooLarge(limits) : parseBody(bytes);
}

function checkHeaders(headers: Headers, limits: ReceiveLimits): Refusal | null {
  const encoding = headers.get('content-encoding');
  if (encoding !== null && encoding.toLowerCase() !== 'identity')
    return new Refusal('unsupported_encoding', `Send the body without content-encoding (it was ${encoding.slice(0, 40)}).`);
  const type = headers.get('content-type');
  // Whatever a client declares, the provider is told JSON: only what says that the bytes are something else is refused.
  if (type !== null && /^\s*multipart\/|charset\s*=\s*"?(?!utf-?8)/i.test(type))
    return new Refusal('unsupported_media_type', 'Send the body as content-type: application/json, in UTF-8.');
  const length = headers.get('content-length');
  if (length !== null && Number(length) > limits.bodyBytes) return tooLarge(limits);
  return null;
}

function tooLarge(limits: ReceiveLimits): Refusal {
  return new Refusal('request_too_large', `The request body is larger than ${limits.bodyBytes} bytes (limits.body_bytes).`);
}

class ReceiveTimeout extends Error {}

async function readWithin(request: Request, receiveMs: number): Promise<Uint8Array> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ReceiveTimeout()), receiveMs);
  });
  try {
    return await Promise.race([request.bytes(), late]);
  } finally {
    clearTimeout(timer);
  }
}
