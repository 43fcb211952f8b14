import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { CopyFacts } from '../ledger/archive-store.ts';
import { VERSION } from '../version.ts';

/** Who asked for a backup: a person, or the schedule. Only those of the schedule are ever deleted by it. */
export type BackupKind = 'manual' | 'scheduled';

/** What stands beside a backup, as JSON. No secret is in it. */
export interface Manifest {
  /** Of this form. */
  readonly format: 1;
  readonly name: string;
  readonly kind: BackupKind;
  /** ISO 8601. */
  readonly made_at: string;
  /** The last seq in it, and the time of its last row. */
  readonly seq: number;
  readonly ledger_at: string;
  readonly decisions: number;
  readonly settlements: number;
  readonly size_bytes: number;
  readonly sha256: string;
  /** The end of the chain as `ledger head` prints it, or null. */
  readonly chain_head: string | null;
  /** The version of the program that made it. */
  readonly version: string;
}

const NAME = /^panicly-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z(-scheduled)?\.db$/;
const LEFT_OVER = /^panicly-\d{8}T\d{9}Z(?:-scheduled)?\.db(?:\.part|\.json|\.json\.part)$/;
const PART = '.part';

/** The name of a backup that is made now. It tells when. */
export function backupName(nowMs: number, kind: BackupKind): string {
  const time = new Date(nowMs).toISOString().replaceAll(/[-:.]/g, '');
  return `panicly-${time}${kind === 'scheduled' ? '-scheduled' : ''}.db`;
}

/** When a backup of this name was made, milliseconds since 1970; null for a name that is not one of ours. */
export function madeAtMs(name: string): number | null {
  const parts = NAME.exec(name);
  if (!parts) return null;
  const [, year, month, day, hour, minute, second, ms] = parts;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`);
}

/** The address of a manifest beside its backup. */
export function manifestPath(backupPath: string): string {
  return `${backupPath}.json`;
}

/** A manifest, or null when there is none or it is damaged. */
export function readManifest(backupPath: string): Manifest | null {
  try {
    const read = JSON.parse(readFileSync(manifestPath(backupPath), 'utf8')) as Partial<Manifest> | null;
    return read?.format === 1 && typeof read.sha256 === 'string' && typeof read.size_bytes === 'number' ? (read as Manifest) : null;
  } catch {
    return null;
  }
}

/** What is told of a copy. */
export function manifestOf(name: string, kind: BackupKind, nowMs: number, facts: CopyFacts): Manifest {
  return {
    format: 1,
    name,
    kind,
    made_at: new Date(nowMs).toISOString(),
    seq: facts.lastSeq,
    ledger_at: new Date(facts.lastAtMs).toISOString(),
    decisions: facts.decisions,
    settlements: facts.settlements,
    size_bytes: facts.sizeBytes,
    sha256: facts.sha256,
    chain_head: facts.chainHead,
    version: VERSION,
  };
}

/** A directory of backups. Whatever else lies in it is left alone. */
export class BackupDirectory {
  constructor(readonly path: string) {}

  /** Finished backups with their manifests, newest first. */
  list(): Manifest[] {
    const names = this.#names().filter(
      (name) => madeAtMs(name) !== null && lstatSync(join(this.path, name), { throwIfNoEntry: false })?.isFile(),
    );
    const found = names.flatMap((name) => {
      const manifest = readManifest(join(this.path, name));
      return manifest === null ? [] : [{ ...manifest, name }];
    });
    return found.sort((a, b) => (a.name < b.name ? 1 : -1));
  }

  /** An empty file for a backup, for nobody else to read. Makes the directory, and clears what a crash left. */
  begin(name: string): string {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    for (const other of this.#names()) if (LEFT_OVER.test(other) && !this.#isBesideBackup(other)) rmSync(join(this.path, other));
    const part = join(this.path, name) + PART;
    closeSync(openSync(part, 'wx', 0o600));
    return part;
  }

  /**
   * Puts a finished and synced part in its place, its manifest first, so that no backup is ever without one.
   * Nothing here may hold up the thread: a busy disk takes its time over a sync, and requests are waiting.
   */
  async finish(manifest: Manifest): Promise<void> {
    const path = join(this.path, manifest.name);
    const manifestPart = manifestPath(path) + PART;
    await synced(manifestPart, (file) => file.writeFile(`${JSON.stringify(manifest, null, 2)}\n`));
    await rename(manifestPart, manifestPath(path));
    await rename(path + PART, path);
    if (process.platform !== 'win32') await synced(this.path, async () => {}, 'r');
  }

  /** Takes a part away that came to nothing. */
  async abandon(name: string): Promise<void> {
    const part = join(this.path, name) + PART;
    if (existsSync(part)) await rm(part);
  }

  /** Deletes a backup with its manifest. */
  async delete(name: string): Promise<void> {
    if (madeAtMs(name) === null) throw new Error('not the name of a backup');
    await rm(join(this.path, name), { force: true });
    await rm(manifestPath(join(this.path, name)), { force: true });
  }

  #isBesideBackup(name: string): boolean {
    return name.endsWith('.json') && existsSync(join(this.path, name.slice(0, -'.json'.length)));
  }

  #names(): string[] {
    return statSync(this.path, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(this.path) : [];
  }
}

/** Does something with a file and brings it to the disk. */
async function synced(path: string, work: (file: FileHandle) => Promise<void>, flags = 'w'): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await work(file);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Writes a small file that survives a power cut. */
export function writeSynced(path: string, text: string): void {
  const file = openSync(path, 'w', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Makes new names in a directory survive a power cut, where the system can. */
export function syncDirectory(path: string): void {
  if (process.platform === 'win32') return;
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
