import { statSync } from 'node:fs';
import { open, statfs, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { Refusal } from '../domain/errors.ts';
import type { ArchiveStore, CopyFacts } from '../ledger/archive-store.ts';
import { BackupDirectory, backupName, madeAtMs, manifestOf, type BackupKind, type Manifest } from './backup-files.ts';

/** How often what was written is brought to the disk: the writer of the ledger never waits behind more than this much of a backup. */
const SYNC_MS = 30;
/** What has to be left on the disk for the ledger itself. */
const RESERVE_BYTES = 64 * 1024 * 1024;
/** How often the schedule looks, and how long it waits after a failure. */
const LOOK_MS = 30_000;
const RETRY_MS = 600_000;
/** How long a stop waits for a backup that is being made. */
const LAST_WORK_MS = 5_000;
/** A backup from further in the future than this is no reason to wait for it: the clock was wrong. */
const FUTURE_MS = 3_600_000;

/** What backups need. */
export interface BackupOptions {
  readonly directory: string;
  /** Null for no schedule. */
  readonly everyMs: number | null;
  /** How many of the schedule's own stay. */
  readonly keep: number;
  /** The ledger's file. */
  readonly ledgerPath: string;
  readonly store: ArchiveStore;
  readonly clock: Clock;
  /** Told what the schedule did: `backup_made`, `backup_failed`, `backup_deleted`. */
  readonly log: (event: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** Makes backups of the running ledger: one at a time, in a Worker, beside requests; by hand and by the clock. */
export class Backups {
  readonly #directory: BackupDirectory;
  #running: Promise<unknown> | null = null;
  #timer: Timer | null = null;
  #failedMs: number | null = null;

  constructor(readonly options: BackupOptions) {
    this.#directory = new BackupDirectory(options.directory);
  }

  /** Finished backups, newest first. */
  list(): readonly Manifest[] {
    return this.#directory.list();
  }

  /** Where a backup that `list` has is. */
  pathOf(name: string): string {
    return join(this.options.directory, name);
  }

  delete(name: string): Promise<void> {
    return this.#directory.delete(name);
  }

  /**
   * Makes a backup and checks it. `announce` is awaited before anything is written, with the name that it will have.
   * Rejects with a Refusal while another one is made, or when the disk has no room or cannot be written.
   */
  async make(kind: BackupKind, announce: (name: string) => Promise<unknown> = async () => {}): Promise<Manifest> {
    if (this.#running)
      throw new Refusal('overloaded', 'Another backup is being made. Try again when it is ready.', { retryAfterSeconds: 10 });
    const made = this.#make(kind, announce);
    this.#running = made.catch(() => {});
    try {
      return await made;
    } finally {
      this.#running = null;
    }
  }

  /** Begins to look whether a backup is due, and goes on until `close`. Again when a schedule was set later. */
  start(): void {
    if (this.options.everyMs === null) return;
    this.#timer ??= setInterval(() => void this.tick(), LOOK_MS);
    void this.tick();
  }

  /** Makes the backup of the schedule when it is due, and deletes the schedule's oldest. Never rejects: what fails is logged and tried again. */
  async tick(): Promise<void> {
    const { log } = this.options;
    if (this.#running || !this.#isDue(this.options.clock.nowMs())) return;
    try {
      const { name, seq, size_bytes } = await this.make('scheduled');
      this.#failedMs = null;
      log('backup_made', { name, seq, size_bytes });
      await this.#deleteOld();
    } catch (error) {
      this.#failedMs = this.options.clock.monotonicMs();
      log('backup_failed', { why: error instanceof Refusal || error instanceof Error ? error.message : String(error) });
    }
  }

  /** Stops the schedule, and lets a backup finish that is nearly ready. One that is not is cleared away by the next. */
  async close(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, LAST_WORK_MS);
    await Promise.race([this.#running, late.promise]);
    clearTimeout(timer);
  }

  #isDue(nowMs: number): boolean {
    const { everyMs, clock } = this.options;
    if (everyMs === null) return false;
    if (this.#failedMs !== null) return clock.monotonicMs() - this.#failedMs >= Math.min(RETRY_MS, everyMs);
    const made = this.#scheduled().map(({ name }) => madeAtMs(name)!);
    const newest = Math.max(0, ...made.filter((atMs) => atMs < nowMs + FUTURE_MS));
    return nowMs - newest >= everyMs;
  }

  async #deleteOld(): Promise<void> {
    for (const { name } of this.#scheduled().slice(this.options.keep)) {
      await this.#directory.delete(name);
      this.options.log('backup_deleted', { name });
    }
  }

  #scheduled(): Manifest[] {
    return this.#directory.list().filter(({ kind }) => kind === 'scheduled');
  }

  async #make(kind: BackupKind, announce: (name: string) => Promise<unknown>): Promise<Manifest> {
    const nowMs = this.options.clock.nowMs();
    const name = backupName(nowMs, kind);
    await announce(name);
    try {
      const manifest = manifestOf(name, kind, nowMs, await this.#copy(name));
      await this.#directory.finish(manifest);
      return manifest;
    } catch (error) {
      await this.#directory.abandon(name);
      throw explained(error);
    }
  }

  async #copy(name: string): Promise<CopyFacts> {
    const { store } = this.options;
    const part = this.#directory.begin(name);
    await this.#mustHaveRoom();
    // No lock on the part is anybody's, so it may be opened beside SQLite's own connection.
    const file = await open(part, 'r+');
    try {
      await syncedWhile(file, store.writeCopy(part));
    } finally {
      await file.close();
    }
    const facts = await store.checkCopy(part);
    if (facts.problems.length > 0) throw new Error(`the copy does not add up: ${facts.problems[0]}`);
    return facts;
  }

  /** A backup that filled the disk would stop the ledger, and with it every request. */
  async #mustHaveRoom(): Promise<void> {
    const { bavail, bsize } = await statfs(this.options.directory);
    const needed = statSync(this.options.ledgerPath).size + RESERVE_BYTES;
    if (bavail * bsize < needed)
      throw new Refusal(
        'conflict',
        `The disk of the backups has ${megabytes(bavail * bsize)} MB left, and ${megabytes(needed)} MB are needed. Make room, or name another directory in [backup].`,
      );
  }
}

/** Brings what is written to the disk bit by bit: one large sync at the end would hold up the small ones of the ledger's writer. */
async function syncedWhile(file: FileHandle, work: Promise<void>): Promise<void> {
  const done = work.then(() => true);
  for (let isDone = false; !isDone;) {
    isDone = await Promise.race([done, Bun.sleep(SYNC_MS).then(() => false)]);
    await file.datasync();
  }
  await file.sync();
}

/** Says in words what people can do something about. */
function explained(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EACCES' || code === 'EROFS' || code === 'ENOTDIR' || code === 'EEXIST' || code === 'EPERM' || code === 'ENOSPC')
    return new Refusal(
      'conflict',
      `The directory of the backups cannot be written (${code}). It is named by [backup] in the configuration.`,
    );
  return error;
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20);
}
