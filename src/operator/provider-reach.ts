import { Refusal } from '../domain/errors.ts';
import type { StoredConnection } from '../ledger/store.ts';
import type { ProviderChange } from './providers.ts';
import type { Scope } from './scope.ts';

/**
 * What somebody who is bound to a workspace may not do with a connection: name a variable of the server's environment (it may hold the
 * key of another workspace), or send a key that somebody else put in to an address of their own choice. Throws a Refusal.
 */
export function checkReach(scope: Scope, change: ProviderChange, before: StoredConnection | null): void {
  if (scope.workspaceId === null) return;
  if (change.apiKeyEnv !== undefined && change.apiKeyEnv !== null)
    throw new Refusal('forbidden', 'Environment variables are of the whole installation: send api_key instead of api_key_env.', {
      param: 'api_key_env',
    });
  const moves = before !== null && typeof change.baseUrl === 'string' && change.baseUrl !== before.connection.baseUrl;
  if (moves && before.secret.kind !== 'none' && typeof change.apiKey !== 'string')
    throw new Refusal('forbidden', 'A key goes to no other address than it was given for: send api_key with the new base_url.', {
      param: 'base_url',
    });
}
