import type { ApiKey } from '../domain/project.ts';
import type { Operator } from '../ledger/store.ts';
import { isKeyIn } from './find.ts';
import { isActive } from './key-use.ts';
import type { Office } from './office.ts';
import { covers, type Scope } from './scope.ts';

/** What a secret is that somebody found somewhere, by its SHA-256. */
export type FoundSecret =
  | { readonly sha256: string; readonly kind: 'key'; readonly status: 'active' | 'expired' | 'revoked'; readonly key: ApiKey }
  | { readonly sha256: string; readonly kind: 'operator'; readonly status: 'active' | 'expired'; readonly operator: Operator }
  | { readonly sha256: string; readonly kind: null; readonly status: 'unknown' };

/** Says of each hash which key or operator token of the scope it is of. What is in no scope of the asker is unknown. */
export function lookUpSecrets(office: Office, scope: Scope, hashes: readonly string[]): FoundSecret[] {
  const { registry, directory } = office;
  const nowMs = office.clock.nowMs();
  const operators = new Map(registry.operators().map((operator) => [operator.tokenSha256, operator]));
  return hashes.map((sha256) => {
    const key = directory.key(sha256)?.key;
    if (key && isKeyIn(registry, scope, key)) return { sha256, kind: 'key', status: statusOf(key, nowMs), key };
    const operator = operators.get(sha256);
    if (!operator || !covers(scope, operator.workspaceId)) return { sha256, kind: null, status: 'unknown' };
    const { expiresAtMs } = operator;
    return { sha256, kind: 'operator', status: expiresAtMs !== null && expiresAtMs <= nowMs ? 'expired' : 'active', operator };
  });
}

function statusOf(key: ApiKey, nowMs: number): 'active' | 'expired' | 'revoked' {
  if (key.revokedAtMs !== null) return 'revoked';
  return isActive(key, nowMs) ? 'active' : 'expired';
}
