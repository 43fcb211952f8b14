import type { Alert } from '../../ledger/store.ts';
import type { ResealedAlert } from '../../ledger/alert-store.ts';
import { open, reseal, seal, type MasterKey } from '../../upstream/secrets.ts';

/** The two secrets of an alert: where it is sent (Slack and Discord let everybody in who knows the URL), and what it is signed with. */
export type AlertSecret = 'url' | 'secret';

/** A secret of an alert as it is stored: encrypted, and tied to its row and column. */
export function sealOf(text: string, publicId: string, which: AlertSecret, masterKey: MasterKey): Uint8Array {
  return seal(text, masterKey, associatedData(publicId, which));
}

/** The secret of a stored alert, or null where it has none. Throws `SecretError` when the master key is another one. */
export function revealed(
  alert: Pick<Alert, 'publicId' | 'sealedUrl' | 'sealedSecret'>,
  which: AlertSecret,
  masterKey: MasterKey,
): string | null {
  const sealed = which === 'url' ? alert.sealedUrl : alert.sealedSecret;
  return sealed && open(sealed, masterKey, associatedData(alert.publicId, which)).reveal();
}

/** The sealed values of an alert under the newest master key, or null when they are already. Throws `SecretError` when no key opens them. */
export function resealedAlert(alert: Alert, masterKey: MasterKey): ResealedAlert | null {
  const again = (sealed: Uint8Array | null, which: AlertSecret) =>
    sealed && reseal(sealed, masterKey, associatedData(alert.publicId, which));
  const url = again(alert.sealedUrl, 'url');
  const secret = again(alert.sealedSecret, 'secret');
  if (url === null && secret === null) return null;
  return { id: alert.id, sealedUrl: url ?? alert.sealedUrl, sealedSecret: secret ?? alert.sealedSecret };
}

function associatedData(publicId: string, which: AlertSecret): string {
  return `alert:${publicId}:${which}`;
}
