import type { FailureKind, UpstreamFailure } from './upstream.ts';

/**
 * Error codes of Bun's fetch before any request byte can have been worked on: no connection, or no trusted one
 * (the certificate is checked before the request is written). Measured with Bun 1.4.5; the certificate codes are OpenSSL's.
 */
const NOTHING_SENT = new Set([
  'ECONNREFUSED',
  'ConnectionRefused',
  'FailedToOpenSocket',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ERR_INVALID_URL',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'HOSTNAME_MISMATCH',
]);

const MALFORMED = new Set(['Malformed_HTTP_Response', 'InvalidHTTPResponse', 'HTTPHeadersOversized', 'UnsupportedTransferEncoding']);

/** The code of an error that fetch rejected with, or its name. */
export function errorCode(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  if (typeof code === 'string') return code;
  return typeof name === 'string' ? name : 'unknown';
}

/** What an error before the headers means. A code that we do not know counts as possibly billed. */
export function failureOf(error: unknown): UpstreamFailure {
  const code = errorCode(error);
  return { kind: kindOf(code), code, mayHaveBilled: !NOTHING_SENT.has(code) };
}

function kindOf(code: string): FailureKind {
  if (NOTHING_SENT.has(code)) return 'unreachable';
  return MALFORMED.has(code) ? 'malformed' : 'reset';
}
