import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import type { CopyFacts } from '../ledger/archive-store.ts';
import { checkLedgerFile } from '../ledger/sqlite/copy.ts';
import { lockDataDirectory } from '../ledger/sqlite/lock.ts';
import { migrate } from '../ledger/sqlite/migrate.ts';
import { closeFully, ledgerPath, openForReading, openForWriting } from '../ledger/sqlite/open.ts';
import type { Store } from '../ledger/store.ts';
import { readManifest, syncDirectory, writeSynced } from './backup-files.ts';
import { auditOf } from './office.ts';

const CHUNK_BYTES = 1 << 20;
const MAGIC = 'SQLite format 3\0';
/** The author of the Sentry switches that a restore turns. */
export const RESTORE_AUTHOR = 'restore';

/** Why a file was not restored, in one sentence. Nothing was changed. */
export class RestoreProblem extends Error {
  override readonly name = 'RestoreProblem';
}

/** How to restore. */
export interface RestoreOptions {
  readonly dataDir: string;
  /** The backup. */
  readonly file: string;
  /** Moves a ledger that is there aside; without it, such a ledger is left alone and the restore refused. */
  readonly moveAside: boolean;
  readonly nowMs: number;
  /** What may open the key of the chain, so that its links are proven; none where the master key is not known yet. */
  readonly sealKeys: readonly Uint8Array[];
}

/** What was put in place. */
export interface Restored extends CopyFacts {
  /** Whether a manifest lay beside the backup, and said the same. */
  readonly hadManifest: boolean;
  /** The file that the ledger of before is in now, or null when there was none. */
  readonly before: string | null;
}

/** What a restore leaves for the next start, which stops every workspace before it serves. */
interface RestoreMark {
  readonly restored_at: string;
  readonly seq: number;
  readonly ledger_at: string;
  readonly sha256: string;
}

/**
 * Puts a checked copy of a backup in the place of the ledger of a data directory. It is in place whole or not at all; what was there is
 * moved aside, never deleted. The next start switches Sentry Mode on everywhere: nobody knows what was spent since the backup.
 * Throws `RestoreProblem`, and `DataDirectoryInUse` while a server runs on the directory.
 */
export function restoreLedger(options: RestoreOptions): Restored {
  mustLookLikeBackup(options.file);
  const lock = lockDataDirectory(options.dataDir);
  try {
    const target = ledgerPath(options.dataDir);
    if (existsSync(target) && !options.moveAside)
      throw new RestoreProblem(`there is a ledger in ${options.dataDir} already: --yes moves it aside and puts the backup in its place`);
    const staged = `${target}.restoring`;
    try {
      const { facts, hadManifest } = stage(options, staged);
      markRestored(options, facts);
      const before = moveAside(target, options);
      renameSync(staged, target);
      syncDirectory(options.dataDir);
      return { ...facts, hadManifest, before };
    } finally {
      for (const ending of ['', '-wal', '-shm', '-journal']) rmSync(staged + ending, { force: true });
    }
  } finally {
    lock.release();
  }
}

function mustLookLikeBackup(file: string): void {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat?.isFile()) throw new RestoreProblem(`there is no file ${file}`);
  if (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size)
    throw new RestoreProblem(
      `${file} has a log beside it (${basename(file)}-wal), so it is a ledger in use or a plain copy of one, not a backup`,
    );
}

/** Copies the backup, compares it with its manifest, brings it up to date and looks through all of it. */
function stage({ file, nowMs, sealKeys }: RestoreOptions, staged: string): { facts: CopyFacts; hadManifest: boolean } {
  const manifest = readManifest(file);
  const copied = copyFile(file, staged);
  if (copied.head !== MAGIC) throw new RestoreProblem(`${file} is not a ledger of Panicly`);
  if (manifest && copied.sizeBytes !== manifest.size_bytes)
    throw new RestoreProblem(
      `${file} has ${copied.sizeBytes} bytes, but its manifest says ${manifest.size_bytes}: it was cut, or is another file`,
    );
  if (manifest && copied.sha256 !== manifest.sha256) throw new RestoreProblem(`${file} is not what its manifest says: it was changed`);
  try {
    return { facts: checked(file, staged, nowMs, sealKeys, copied.sha256), hadManifest: manifest !== null };
  } catch (error) {
    if (error instanceof RestoreProblem) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new RestoreProblem(`${file} cannot be read as a ledger: ${why}`, { cause: error });
  }
}

function checked(file: string, staged: string, nowMs: number, sealKeys: readonly Uint8Array[], sha256: string): CopyFacts {
  if (!isOurs(staged)) throw new RestoreProblem(`${file} is not a ledger of Panicly`);
  const db = openForWriting(staged);
  try {
    migrate(db, nowMs);
    db.run('PRAGMA journal_mode=DELETE');
  } finally {
    closeFully(db);
  }
  const facts = checkLedgerFile(staged, sealKeys);
  const [first] = facts.problems;
  if (first !== undefined)
    throw new RestoreProblem(
      `${file} is damaged or was changed (${facts.problems.length} findings, the first: ${first}): take another backup`,
    );
  return { ...facts, sha256 };
}

function isOurs(path: string): boolean {
  const db = openForReading(path);
  try {
    const names = db.query<{ name: string }, []>("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    return ['schema_migrations', 'checkpoint', 'decisions'].every((wanted) => names.some(({ name }) => name === wanted));
  } finally {
    closeFully(db);
  }
}

/** A copy that only its owner may read. */
function copyFile(from: string, to: string): { readonly sizeBytes: number; readonly sha256: string; readonly head: string } {
  const hasher = new Bun.CryptoHasher('sha256');
  const buffer = new Uint8Array(CHUNK_BYTES);
  const source = openSync(from, 'r');
  const target = openSync(to, 'w', 0o600);
  let [sizeBytes, head] = [0, ''];
  try {
    for (let count = readSync(source, buffer); count > 0; count = readSync(source, buffer)) {
      const bytes = buffer.subarray(0, count);
      if (sizeBytes === 0) head = new TextDecoder('latin1').decode(bytes.subarray(0, MAGIC.length));
      hasher.update(bytes);
      for (let written = 0; written < count; written += writeSync(target, bytes, written));
      sizeBytes += count;
    }
    fsyncSync(target);
  } finally {
    closeSync(source);
    closeSync(target);
  }
  return { sizeBytes, sha256: hasher.digest('hex'), head };
}

/** Gives the ledger that is there another name. Its own stays until the backup takes it, so that there is never none. */
function moveAside(target: string, { dataDir, nowMs }: RestoreOptions): string | null {
  if (!existsSync(target)) return null;
  emptyLog(target);
  const time = new Date(nowMs).toISOString().replaceAll(/[-:.]/g, '');
  const before = join(dataDir, `panicly-before-restore-${time}.db`);
  linkSync(target, before);
  // A log that could not be emptied belongs to the old file: beside the new one it would be taken for its own.
  for (const ending of ['-wal', '-shm']) if (existsSync(target + ending)) renameSync(target + ending, before + ending);
  return before;
}

/** A damaged ledger may be why there is a restore: then it is moved as it is. */
function emptyLog(path: string): void {
  try {
    const db = openForWriting(path);
    try {
      db.run('PRAGMA wal_checkpoint(TRUNCATE)');
    } finally {
      closeFully(db);
    }
  } catch {
    return;
  }
}

function markPath(dataDir: string): string {
  return join(dataDir, 'restored.json');
}

function markRestored({ dataDir, nowMs }: RestoreOptions, { lastSeq, lastAtMs, sha256 }: CopyFacts): void {
  const mark: RestoreMark = {
    restored_at: new Date(nowMs).toISOString(),
    seq: lastSeq,
    ledger_at: new Date(lastAtMs).toISOString(),
    sha256,
  };
  writeSynced(markPath(dataDir), `${JSON.stringify(mark, null, 2)}\n`);
}

/**
 * At a start: when the ledger was restored since the last one, switches Sentry Mode on for every workspace, durably, before anything is
 * served. A workspace where a person has it on already is left as it is. Returns whether it was.
 */
export async function stopAfterRestore(store: Store, dataDir: string): Promise<boolean> {
  const path = markPath(dataDir);
  if (!existsSync(path)) return false;
  const detail = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  const { workspaces, switches } = await store.loadDirectory();
  for (const { id, publicId } of workspaces) {
    if (switches.some(({ workspaceId, enabled }) => workspaceId === id && enabled)) continue;
    const audit = auditOf({ id: 'system', ip: null }, 'ledger.restore', publicId, detail);
    await store.setSentry({ workspaceId: id }, true, RESTORE_AUTHOR, audit);
  }
  rmSync(path);
  syncDirectory(dataDir);
  return true;
}
