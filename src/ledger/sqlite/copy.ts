import { Database } from 'bun:sqlite';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { CopyFacts } from '../archive-store.ts';
import { countRows } from './counts.ts';
import { closeFully, openForReading } from './open.ts';
import type { Checkpoint } from './protocol.ts';
import { readCheckpoint } from './transactor.ts';
import { verifyFile } from './verify.ts';

const READ_BYTES = 1 << 20;

/**
 * Writes a whole and compact copy of the ledger at `from` into the empty file `to`: one view of the ledger, while its writer goes on.
 * The copy is a single file without a log. It is not synced: whoever asked does that bit by bit, because one large sync would
 * hold up the writer's small ones.
 */
export function copyLedger(from: string, to: string): void {
  const db = new Database(from, { readonly: true, strict: true });
  try {
    db.run('PRAGMA busy_timeout=5000');
    db.run('PRAGMA synchronous=OFF');
    db.run('VACUUM INTO ?', [to]);
  } finally {
    closeFully(db);
  }
}

/** Looks through a copy that nobody writes to: every page, every row against the chain, every sum, the SHA-256. */
export function checkLedgerFile(path: string, sealKeys: readonly Uint8Array[] = []): CopyFacts {
  const { findings, head, notes } = verifyFile(path, { sealKeys });
  const problems = findings.map(({ kind, detail }) => `${kind}: ${detail}`);
  const { lastSeq, lastAtMs } = whereItStands(path);
  return {
    lastSeq,
    lastAtMs,
    ...countRows(path),
    problems,
    notes,
    chainHead: head,
    sizeBytes: statSync(path).size,
    sha256: sha256Of(path),
  };
}

function whereItStands(path: string): Checkpoint {
  const db = openForReading(path);
  try {
    return readCheckpoint(db);
  } finally {
    closeFully(db);
  }
}

/** Of a file that no connection of this process has open. */
function sha256Of(path: string): string {
  const hasher = new Bun.CryptoHasher('sha256');
  const buffer = new Uint8Array(READ_BYTES);
  const file = openSync(path, 'r');
  try {
    for (let count = readSync(file, buffer); count > 0; count = readSync(file, buffer)) hasher.update(buffer.subarray(0, count));
  } finally {
    closeSync(file);
  }
  return hasher.digest('hex');
}
