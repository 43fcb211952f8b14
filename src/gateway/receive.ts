import { Refusal } from '../domain/errors.ts';
import { Watchdogs } from '../upstream/watchdog.ts';
import { parseBody, type JsonBody } from '../wire/json.ts';
import { Reservation, type BodyBudget } from './body-budget.ts';

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

/** Bodies of at most this announced size are reserved as a whole and read in one go. */
const SMALL_BYTES = 256 * 1024;

/** So are those up to this size while they leave half of the room free: a stream of pieces doubles what receiving costs. */
const MEDIUM_BYTES = 4 * 1024 * 1024;

/** One timer for all bodies: one each, raced against the reading, costs several microseconds a request. */
const deadlines = new Watchdogs();

/** Reads the body once and checks it (I5). The caller calls `release` when the request is answered. */
export async function receive(request: Request, limits: ReceiveLimits, budget: BodyBudget): Promise<Received | Refusal> {
  const refusal = checkHeaders(request.headers, limits);
  if (refusal) return refusal;
  const reservation = new Reservation(budget);
  const bytes = await readWithin(request, limits, reservation);
  const body = bytes instanceof Refusal ? bytes : parseBody(bytes);
  if (!(body instanceof Refusal)) return { body, reservedBytes: reservation.bytes };
  reservation.end();
  if (!(bytes instanceof Refusal)) freeLarge(bytes);
  return body;
}

/** Gives back what a body took, its bytes included: nobody may read them afterwards. */
export function release({ body, reservedBytes }: Received, budget: BodyBudget): void {
  budget.give(reservedBytes);
  freeLarge(body.bytes);
}

/** A collection would come some hundred megabytes later, and the room that was given back is there only when the memory is. */
function freeLarge(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (bytes.byteLength > SMALL_BYTES && buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength) buffer.transfer(0);
}

function checkHeaders(headers: Headers, limits: ReceiveLimits): Refusal | null {
  const encoding = headers.get('content-encoding');
  if (encoding !== null && encoding.toLowerCase() !== 'identity')
    return new Refusal('unsupported_encoding', `Send the body without content-encoding (it was ${encoding.slice(0, 40)}).`);
  const type = headers.get('content-type');
  // Whatever a client declares, the provider is told JSON: only what says that the bytes are something else is refused.
  if (type !== null && /^\s*multipart\/|charset\s*=(?!\s*"?utf-?8)/i.test(type))
    return new Refusal('unsupported_media_type', 'Send the body as content-type: application/json, in UTF-8.');
  return announcedBytes(headers) > limits.bodyBytes ? tooLarge(limits) : null;
}

/** `content-length`, or 0 when the body comes without one. */
function announcedBytes(headers: Headers): number {
  const length = headers.get('content-length');
  if (length === null) return 0;
  return /^\d{1,15}$/.test(length) ? Number(length) : Number.POSITIVE_INFINITY;
}

function readWithin(request: Request, limits: ReceiveLimits, reservation: Reservation): Promise<Uint8Array | Refusal> {
  return new Promise((resolve) => {
    const deadline = deadlines.watch({ expired: () => resolve(tooLate(limits)) });
    deadline.arm(limits.receiveMs);
    readBody(request, limits, reservation).then(
      (bytes) => {
        deadline.end();
        resolve(bytes instanceof Refusal || bytes.byteLength <= limits.bodyBytes ? bytes : tooLarge(limits));
      },
      () => {
        deadline.end();
        resolve(new Refusal('invalid_json', 'The request body could not be read to its end.'));
      },
    );
  });
}

function readBody(request: Request, limits: ReceiveLimits, reservation: Reservation): Promise<Uint8Array | Refusal> {
  const announced = announcedBytes(request.headers);
  if (announced === 0 || !isReadAtOnce(announced, reservation)) return readCounted(request, limits, reservation);
  return reservation.add(announced) ? request.bytes() : Promise.resolve(full());
}

/** Who only announces can hold half of the room with larger bodies, and no more: the other half is for what has arrived. */
function isReadAtOnce(announced: number, { budget }: Reservation): boolean {
  if (announced <= SMALL_BYTES) return true;
  return announced <= MEDIUM_BYTES && budget.takenBytes + announced <= budget.capacityBytes / 2;
}

/** Reserves what has really arrived: a large body that is only announced, or of no announced size, takes no room from others. */
async function readCounted(request: Request, limits: ReceiveLimits, reservation: Reservation): Promise<Uint8Array | Refusal> {
  const chunks: Uint8Array[] = [];
  // Leaving the loop, for whatever reason, lets the rest of the body go.
  for await (const chunk of request.body ?? []) {
    if (reservation.bytes + chunk.byteLength > limits.bodyBytes) return tooLarge(limits);
    if (!reservation.add(chunk.byteLength)) return full();
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

function tooLarge(limits: ReceiveLimits): Refusal {
  return new Refusal('request_too_large', `The request body is larger than ${limits.bodyBytes} bytes (limits.body_bytes).`);
}

function tooLate(limits: ReceiveLimits): Refusal {
  const message = `The request body did not arrive within ${limits.receiveMs / 1000} seconds (limits.receive_seconds).`;
  return new Refusal('receive_timeout', message);
}

function full(): Refusal {
  const message = 'Too many request bodies are in memory (limits.bodies_in_flight_bytes). Try again in a moment.';
  return new Refusal('overloaded', message, { retryAfterSeconds: 1 });
}
