const ABOUT_A_KEY = /api[\s_-]?key|credential|unauthori[sz]ed|authenticat|access token|invalid token/i;

/**
 * Whether a provider's error is about the key that we hold, which is no business of the client (I7).
 * A 401 always is; a 403 only when it says so: a provider also answers 403 for moderation, a region, or a model that the account lacks.
 */
export function rejectsOurKey(status: number, errorBody: Uint8Array): boolean {
  if (status === 401) return true;
  return status === 403 && ABOUT_A_KEY.test(Buffer.from(errorBody).toString('utf8', 0, 8_192));
}
