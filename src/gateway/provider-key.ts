import type { Attempt } from './attempt.ts';

const ABOUT_A_KEY = /api[\s_-]?key|credential|unauthori[sz]ed|authenticat|access token|invalid token/i;

/** How much of an error is looked at. */
const LOOKED_AT_BYTES = 8_192;

/** A shorter secret could stand in any text by chance. */
const MIN_SECRET_CHARACTERS = 8;

/**
 * Whether a provider's error is about the key that we hold, which is no business of the client (I7).
 * A 401 always is; a 403 only when it says so, or cannot be read (`errorBody` null): a provider also answers 403 for moderation,
 * a region, or a model that the account lacks.
 */
export function rejectsOurKey(status: number, errorBody: Uint8Array | null): boolean {
  if (status === 401) return true;
  return status === 403 && (errorBody === null || ABOUT_A_KEY.test(textOf(errorBody).toString('utf8', 0, LOOKED_AT_BYTES)));
}

/** Whether an answer holds the key that its request was sent with: servers that echo what they got exist. */
export function holdsOurKey(attempt: Attempt, body: Uint8Array): boolean {
  const secret = attempt.priced.connection?.credential.reveal() ?? '';
  return secret.length >= MIN_SECRET_CHARACTERS && textOf(body).includes(secret);
}

function textOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
