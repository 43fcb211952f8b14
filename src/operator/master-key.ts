import { Refusal } from '../domain/errors.ts';
import { LedgerUnavailable } from '../ledger/ledger.ts';
import type { ResealedValue, SealedValue } from '../ledger/sealed.ts';
import { CHAIN_SEAL } from '../ledger/sqlite/chain/key.ts';
import { reseal, SecretError } from '../upstream/secrets.ts';
import { resealAlerts } from './alerts.ts';
import { auditOf, type Actor, type Office } from './office.ts';

/** How a change of the master key ended. */
export interface KeyRotation {
  /** Where the key comes from. */
  readonly source: 'file' | 'environment';
  /** How many stored secrets are sealed with the new key now that were not before. */
  readonly resealed: number;
  /** How many no key opens: they were lost before, and stay as they are. */
  readonly unreadable: number;
}

/** Who acts when a start brings an interrupted change to its end. */
const SYSTEM: Actor = { id: 'system', ip: null };

/**
 * Puts a new master key in the place of the one before, while requests go on: both open what is stored until all of it is sealed with
 * the new one. After a crash at any point the next start has keys that open everything, and brings it to its end.
 * Throws a Refusal when the key comes from the environment and no new one is there.
 */
export function rotateMasterKey(office: Office, actor: Actor): Promise<KeyRotation> {
  return office.turns.take('master key', async () => {
    if (!office.keyHome.begin())
      throw new Refusal(
        'conflict',
        'The master key comes from PANICLY_MASTER_KEY. Set PANICLY_MASTER_KEY_NEW beside it and restart; once the start has sealed ' +
          'everything anew, set PANICLY_MASTER_KEY to the new one and take PANICLY_MASTER_KEY_NEW away.',
      );
    return await goOn(office, actor);
  });
}

/** Brings a change that was begun to its end: after a crash, or when the environment names a new key. Null when there is nothing to do. */
export async function settleMasterKey(office: Office): Promise<KeyRotation | null> {
  const { keyHome } = office;
  if (!keyHome.isReplacing) return null;
  try {
    return await goOn(office, SYSTEM);
  } catch (error) {
    // Both keys stay where they are: the next start tries again.
    if (error instanceof LedgerUnavailable) return null;
    throw error;
  }
}

async function goOn(office: Office, actor: Actor): Promise<KeyRotation> {
  const { keyHome } = office;
  const first = await sealAnew(office, actor);
  keyHome.swap();
  // What was on its way to the ledger, sealed with the key before, while the first round ran.
  const second = await sealAnew(office, null);
  await resealAlerts(office);
  await refreshConnections(office);
  keyHome.forget();
  return { source: keyHome.kind, resealed: first.resealed + second.resealed, unreadable: second.unreadable };
}

async function sealAnew(office: Office, actor: Actor | null): Promise<Pick<KeyRotation, 'resealed' | 'unreadable'>> {
  const { store, masterKey, keyHome } = office;
  const outcomes = (await store.sealedValues()).map((value) => outcomeOf(office, value));
  const values = outcomes.filter((outcome) => outcome !== 'current' && outcome !== 'unreadable');
  const unreadable = outcomes.filter((outcome) => outcome === 'unreadable').length;
  // A start that finds everything done already has nothing to tell.
  const isNews = actor !== null && (actor !== SYSTEM || values.length > 0);
  const audit = isNews
    ? auditOf(actor, 'master_key.rotate', 'master-key', { source: keyHome.kind, secrets: values.length, unreadable })
    : undefined;
  const resealed = await store.reseal({ values, chainSeals: masterKey.deriveAll(CHAIN_SEAL) }, audit);
  return { resealed, unreadable };
}

function outcomeOf({ masterKey }: Office, value: SealedValue): ResealedValue | 'current' | 'unreadable' {
  try {
    const resealed = reseal(value.sealed, masterKey, value.associatedData);
    return resealed === null ? 'current' : { ...value, resealed };
  } catch (error) {
    if (error instanceof SecretError) return 'unreadable';
    throw error;
  }
}

/** Memory keeps what is stored, so that nothing of it is written back under the key before. */
async function refreshConnections({ store, registry }: Office): Promise<void> {
  const before = new Map(registry.connections);
  const { connections } = await store.loadDirectory();
  // What was changed meanwhile is newer than what was read.
  const unchanged = connections.filter(({ connection: { id } }) => before.has(id) && registry.connections.get(id) === before.get(id));
  for (const stored of unchanged) registry.putConnection(stored);
}
