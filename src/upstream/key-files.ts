import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { MasterKey, parseMasterKey, SecretError } from './secrets.ts';

const KEY_BYTES = 32;

/**
 * The master key in `DIR/master.key`, made on the first call. The file appears complete or not at all, with mode 0600.
 * A replacement that a crash has interrupted leaves `master.key.new` or `master.key.old` beside it: the key returned opens with all.
 * Throws `SecretError` when a file cannot be read as a key or others may read it.
 */
export function loadOrMakeMasterKey(dir: string): MasterKey {
  return new KeyFiles(dir).load();
}

/** The key files of a data directory, and the steps of replacing the key. After a crash between any two of them, `load` opens all. */
export class KeyFiles {
  readonly #current: string;
  readonly #next: string;
  readonly #old: string;

  constructor(readonly dir: string) {
    this.#current = join(dir, 'master.key');
    this.#next = `${this.#current}.new`;
    this.#old = `${this.#current}.old`;
  }

  /** Whether a replacement has begun and not ended. */
  get isReplacing(): boolean {
    return existsSync(this.#next) || existsSync(this.#old);
  }

  /** All keys that are there, the newest first. */
  load(): MasterKey {
    const current = keyIn(this.#current) ?? makeKey(this.#current);
    const [next, old] = [keyIn(this.#next), keyIn(this.#old)];
    if (old !== null) current.retire(old);
    if (next !== null) current.renew(next);
    return current;
  }

  /** First: the new key is on the disk. Goes on with the one of an interrupted replacement. */
  begin(): MasterKey {
    return keyIn(this.#next) ?? makeKey(this.#next);
  }

  /** When all is sealed with the new key: it takes the place of the current one, which is kept as `master.key.old`. */
  swap(): void {
    if (!existsSync(this.#next)) return;
    rmSync(this.#old, { force: true });
    linkSync(this.#current, this.#old);
    syncDirectory(this.dir);
    renameSync(this.#next, this.#current);
    syncDirectory(this.dir);
  }

  /** Last: nothing needs the old key any more. */
  forget(): void {
    rmSync(this.#old, { force: true });
    syncDirectory(this.dir);
  }
}

function keyIn(path: string): MasterKey | null {
  const text = readIfThere(path);
  if (text === null) return null;
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0)
    throw new SecretError(`others may read ${path}: run chmod 600 on it, and replace the provider keys if somebody did`);
  try {
    return parseMasterKey(text);
  } catch (cause) {
    throw new SecretError(`${path} is damaged: it must hold 32 bytes in base64; restore it from your backup`, { cause });
  }
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function makeKey(path: string): MasterKey {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    const file = openSync(draft, 'wx', 0o600);
    writeSync(file, `${randomBytes(KEY_BYTES).toString('base64')}\n`);
    fsyncSync(file);
    closeSync(file);
    chmodSync(draft, 0o600);
    // A link, not a rename: it fails when another process was first, and then that one's key holds.
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  syncDirectory(join(path, '..'));
  return keyIn(path)!;
}

/** A new name in a directory is durable once the directory is. Windows has no such thing. */
function syncDirectory(dir: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(dir, 'r');
  fsyncSync(handle);
  closeSync(handle);
}
