import type { Environment } from '../domain/candidate.ts';
import { Refusal } from '../domain/errors.ts';
import { hasSecretLength, hashSecret } from '../domain/key.ts';
import type { ApiKey } from '../domain/project.ts';
import { shellWord } from '../domain/shell-word.ts';
import type { Directory, ProjectEntry } from './directory.ts';

/** Who calls: a valid key and its project as they were when the request came. */
export interface Caller {
  readonly key: ApiKey;
  /** The id that windows and budgets of the key are kept under. */
  readonly lineageId: number;
  readonly entry: ProjectEntry;
  readonly environment: Environment;
}

const HOW_TO_SEND =
  'Send your project key as `Authorization: Bearer pk_...` or `x-panicly-key: pk_...`. Make one with: panicly keys create --project NAME';

/** Finds the caller from the headers alone, before any body is read. Writes nothing but, in memory, when the key was last used. */
export function authenticate(headers: Headers, directory: Directory, nowMs: number): Caller | Refusal {
  const secret = presentedKey(headers);
  if (secret instanceof Refusal) return secret;
  const found = hasSecretLength(secret) ? directory.key(hashSecret(secret)) : null;
  const entry = found && directory.project(found.projectId);
  if (!found || !entry) return new Refusal('invalid_key', invalidKeyMessage(secret));
  const { key } = found;
  // Whenever that was: the time of the ledger, which it was written with, may be ahead of the clock.
  if (key.revokedAtMs !== null)
    return new Refusal(
      'revoked_key',
      `The key ${key.prefix}... was revoked. Make a new one with: panicly keys create --project ${shellWord(entry.project.name)}`,
    );
  if (key.expiresAtMs !== null && key.expiresAtMs <= nowMs)
    return new Refusal(
      'expired_key',
      `The key ${key.prefix}... expired. Make a new one with: panicly keys create --project ${shellWord(entry.project.name)}`,
    );
  found.lastUsedAtMs = nowMs;
  return { key, lineageId: found.lineageId, entry, environment: key.environment };
}

function presentedKey(headers: Headers): string | Refusal {
  const authorization = headers.get('authorization');
  const own = headers.get('x-panicly-key');
  if (authorization === null && own === null) return new Refusal('missing_key', `No project key was sent. ${HOW_TO_SEND}`);
  if (authorization === null) return own!.trim();
  const bearer = bearerToken(authorization);
  if (own !== null && bearer !== null && own.trim() !== bearer)
    return new Refusal('conflicting_keys', 'The Authorization header and x-panicly-key hold different keys. Send one of them.');
  if (own !== null) return own.trim();
  return bearer ?? new Refusal('missing_key', `The Authorization header holds no Bearer token. ${HOW_TO_SEND}`);
}

/** The token of an `Authorization: Bearer` header, or null when it is of another scheme. */
export function bearerToken(authorization: string): string | null {
  const match = /^bearer +(\S+)\s*$/i.exec(authorization);
  return match ? match[1]! : null;
}

function invalidKeyMessage(secret: string): string {
  if (secret.startsWith('po_')) return 'An operator token opens /admin/v1 only. Use a project key (pk_live_ or pk_test_) here.';
  if (secret.startsWith('sk-')) return `This is a provider's key. Panicly wants a project key. ${HOW_TO_SEND}`;
  return `The project key is not known here. ${HOW_TO_SEND}`;
}
