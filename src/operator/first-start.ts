import { newPublicId } from '../domain/ids.ts';
import { hashSecret, isWellFormed, newSecret, shownPrefix, type KeyPrefix } from '../domain/key.ts';
import type { NewConnection, NewKey, Store } from '../ledger/store.ts';
import { defaultPolicy, defaultWorkspacePolicy } from '../policy/document.ts';
import { FIRST_START_KINDS, PROVIDERS } from '../upstream/providers.ts';

/** What the first start made. The secrets exist only here and in the hands of who reads this. */
export interface FirstStartResult {
  readonly workspaceId: string;
  readonly projectId: string;
  readonly liveKey: string;
  readonly testKey: string;
  readonly operatorToken: string;
  /** Names of environment variables that became provider connections. */
  readonly providers: readonly string[];
}

/** A token that is given from outside must have the form of ours: it is what lets us refuse typing errors. */
export class WeakOperatorToken extends Error {}

/** Makes workspace, project, keys and operator in one transaction. `environment` answers whether a variable is set. */
export async function firstStart(
  store: Store,
  operatorToken: string | null,
  isSet: (variable: string) => boolean,
): Promise<FirstStartResult> {
  const token = operatorToken ?? newSecret('po_live_');
  if (!isWellFormed(token) || !token.startsWith('po_')) throw new WeakOperatorToken();
  const live = newKey('pk_live_', 'default live key');
  const test = newKey('pk_test_', 'default test key');
  const workspaceId = newPublicId('wsp');
  const projectId = newPublicId('prj');
  const kinds = FIRST_START_KINDS.filter((kind) => isSet(PROVIDERS[kind].keyVariable!));
  await store.firstStart({
    workspace: { publicId: workspaceId, name: 'default', plan: 'unlimited', includedRequests: null },
    project: { publicId: projectId, name: 'default' },
    keys: [live.row, test.row],
    connections: kinds.map(connectionFromEnvironment),
    operator: { publicId: newPublicId('opr'), name: 'first operator', role: 'owner', tokenSha256: hashSecret(token) },
    workspacePolicy: JSON.stringify(defaultWorkspacePolicy()),
    projectPolicy: JSON.stringify(defaultPolicy()),
    author: 'system',
  });
  const providers = kinds.map((kind) => PROVIDERS[kind].keyVariable!);
  return { workspaceId, projectId, liveKey: live.secret, testKey: test.secret, operatorToken: token, providers };
}

function newKey(prefix: KeyPrefix, name: string): { secret: string; row: Omit<NewKey, 'projectId' | 'lineageId'> } {
  const secret = newSecret(prefix);
  const environment = prefix === 'pk_test_' ? 'test' : 'live';
  const row = {
    publicId: newPublicId('key'),
    name,
    environment,
    prefix: shownPrefix(secret),
    sha256: hashSecret(secret),
    expiresAtMs: null,
  } as const;
  return { secret, row };
}

function connectionFromEnvironment(kind: (typeof FIRST_START_KINDS)[number]): Omit<NewConnection, 'projectId'> {
  const { baseUrl, keyVariable, models } = PROVIDERS[kind];
  return { publicId: newPublicId('con'), name: kind, kind, baseUrl: baseUrl!, models, secret: { kind: 'environment', name: keyVariable! } };
}
