import type { Clock } from '../../clock.ts';
import type { Settlement } from '../../domain/decision.ts';
import { LedgerEngine, type LedgerEvents } from '../engine.ts';
import type { LedgerState } from '../state.ts';
import type { Store } from '../store.ts';
import { LedgerTime } from '../time.ts';
import type { ChainSeals } from './chain/key.ts';
import { lockDataDirectory, type DirectoryLock } from './lock.ts';
import { ledgerPath } from './open.ts';
import type { Checkpoint } from './protocol.ts';
import { ReaderLink } from './reader-link.ts';
import { recover } from './recover.ts';
import { SqliteStore } from './store.ts';
import { workerUrl } from './worker-url.ts';
import { WriterLink, type WriteReply } from './writer-link.ts';

/** A decision's caller is told 503 after this, so that with the way there and back it is within 250 ms. */
const COMMIT_DEADLINE_MS = 225;
const MAX_WAITING = 10_000;
/** How long the disk may take at start and stop. */
const FLUSH_MS = 10_000;

/** How to open a ledger. */
export interface LedgerOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly events: LedgerEvents;
  /** `MasterKey.derive(CHAIN_SEAL)`: seals the key of the chain in the ledger. Several while the master key is changed, the newest first. */
  readonly sealKeys: readonly Uint8Array[];
  readonly commitDeadlineMs?: number;
  /** Admissions that may wait for their commit; past that `admit` rejects as overloaded. */
  readonly maxWaiting?: number;
  /** Other entry files for the Workers, for tests. */
  readonly writerUrl?: string;
  readonly readerUrl?: string;
}

/** A ledger that serves. */
export interface OpenLedger {
  readonly ledger: LedgerEngine;
  readonly store: Store;
  /** The state that decisions are made on: to look into, and to confirm a clock. */
  readonly memory: LedgerState;
  readonly time: LedgerTime;
  /** Stops admitting, commits what was handed over, and leaves the file whole and unlocked. */
  readonly close: () => Promise<void>;
}

/**
 * Opens the ledger of a data directory: takes its lock, migrates, checks, brings the state back, and settles what a crash left open.
 * Throws `DataDirectoryInUse`, or what SQLite says when the file cannot be opened or is damaged.
 */
export async function openLedger(options: LedgerOptions): Promise<OpenLedger> {
  const lock = lockDataDirectory(options.dataDir);
  try {
    return await openLocked(options, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function openLocked(options: LedgerOptions, lock: DirectoryLock): Promise<OpenLedger> {
  const path = ledgerPath(options.dataDir);
  const seals: ChainSeals = { keys: options.sealKeys };
  let started: Started | null = null;
  const link = new WriterLink({
    url: options.writerUrl ?? workerUrl('writer.ts'),
    path,
    clock: options.clock,
    seals,
    onReply: (reply: WriteReply) => started?.engine.receive(reply),
    onDeath: () => started?.engine.writerDied(),
  });
  // It opens the file with its first query, so that its Worker can load while the writer's does.
  const reader = new ReaderLink(options.readerUrl ?? workerUrl('reader.ts'), path);
  try {
    started = startEngine(options, path, link, await link.start());
    await settleOpen(started);
  } catch (error) {
    started?.engine.stop();
    await reader.close();
    await link.close();
    throw error;
  }
  const { engine, memory, time } = started;
  const store = new SqliteStore(engine, memory, reader, seals);
  return { ledger: engine, store, memory, time, close: () => close(engine, link, store, lock) };
}

/** An engine with the state of before. */
interface Started {
  readonly engine: LedgerEngine;
  readonly memory: LedgerState;
  readonly time: LedgerTime;
  /** What a crash left open, charged in full. */
  readonly open: readonly Settlement[];
}

function startEngine(options: LedgerOptions, path: string, link: WriterLink, checkpoint: Checkpoint): Started {
  const { clock } = options;
  const time = new LedgerTime(checkpoint.lastAtMs);
  const { memory, open } = recover(path, checkpoint, time.tick(clock.nowMs(), clock.monotonicMs()));
  const engine = new LedgerEngine({
    memory,
    time,
    clock,
    checkpoint,
    send: (write) => link.send(write),
    events: options.events,
    commitDeadlineMs: options.commitDeadlineMs ?? COMMIT_DEADLINE_MS,
    maxWaiting: options.maxWaiting ?? MAX_WAITING,
  });
  return { engine, memory, time, open };
}

/** Settles what a crash left open: on disk before anything is served. */
async function settleOpen({ engine, open }: Started): Promise<void> {
  for (const settlement of open) engine.settle(settlement);
  if (!(await engine.flushed(FLUSH_MS))) throw new Error('the ledger cannot write: what was in flight before could not be settled');
}

async function close(engine: LedgerEngine, link: WriterLink, store: SqliteStore, lock: DirectoryLock): Promise<void> {
  engine.stopAdmitting();
  // Who waited for one of the last commits may settle as soon as it is told of it.
  while ((await engine.flushed(FLUSH_MS)) && engine.queueLength > 0);
  engine.stop();
  // The writer goes last: it empties the log into the file.
  await store.close();
  await link.close();
  lock.release();
}
