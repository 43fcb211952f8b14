import { KeyFiles } from './key-files.ts';
import { parseMasterKey, SecretError, type MasterKey } from './secrets.ts';

/** Where the master key comes from, and the steps of replacing it. A crash between any two leaves keys that open everything. */
export interface MasterKeyHome {
  readonly kind: 'file' | 'environment';
  /** One object for the life of the process: it learns the new key, in every hand that holds it. */
  readonly masterKey: MasterKey;
  /** Whether what is sealed may still need the key before: the replacement has to be brought to its end. */
  readonly isReplacing: boolean;
  /** The new key is durable, and seals from now on. False when there is none to be had. */
  begin(): boolean;
  /** Everything is sealed with the new key: it is the one that counts at the next start. */
  swap(): void;
  /** The key before is needed by nothing. */
  forget(): void;
}

/** The key in the data directory, made when there is none. Throws `SecretError`. */
export function fileHome(dataDir: string): MasterKeyHome {
  const files = new KeyFiles(dataDir);
  const masterKey = files.load();
  return {
    kind: 'file',
    masterKey,
    get isReplacing() {
      return files.isReplacing;
    },
    begin() {
      masterKey.renew(files.begin());
      return true;
    },
    swap: () => files.swap(),
    forget: () => files.forget(),
  };
}

/** Keys from the environment: the one in use, and the one that is to replace it. Throws `SecretError`. */
export function environmentHome(current: string, next: string | null): MasterKeyHome {
  const masterKey = parseMasterKey(current);
  if (next !== null) masterKey.renew(newKey(next));
  return {
    kind: 'environment',
    masterKey,
    isReplacing: next !== null,
    begin: () => next !== null,
    swap: () => undefined,
    forget: () => undefined,
  };
}

function newKey(text: string): MasterKey {
  try {
    return parseMasterKey(text);
  } catch (cause) {
    throw new SecretError('PANICLY_MASTER_KEY_NEW must be 32 bytes in base64, as `openssl rand -base64 32` makes them', { cause });
  }
}
