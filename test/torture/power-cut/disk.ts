import type { FileOp } from './trace.ts';

/** A number from 0 up to, but not, 1. */
export type Random = () => number;

const SECTOR_BYTES = 512;

type Change = Extract<FileOp, { kind: 'write' | 'truncate' }>;

/** What becomes of writes that were not synced when the power goes. */
type Fate = 'kept' | 'dropped' | 'torn';

/** A file's bytes that grow. */
class Image {
  #bytes = new Uint8Array(65_536);
  #size = 0;

  get content(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  write(at: number, bytes: Uint8Array): void {
    this.#resize(Math.max(this.#size, at + bytes.length));
    this.#bytes.set(bytes, at);
  }

  truncate(size: number): void {
    this.#bytes.fill(0, Math.min(size, this.#size), this.#size);
    this.#resize(size);
  }

  copy(): Image {
    const copy = new Image();
    copy.write(0, this.content);
    return copy;
  }

  #resize(size: number): void {
    while (size > this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#size = size;
  }
}

/** A file whatever its name: what is on the platter, and what the system has only promised to write. */
interface Inode {
  readonly synced: Image;
  unsynced: Change[];
}

interface NameChange {
  readonly name: string;
  readonly inode: Inode | null;
}

/**
 * A disk on which a power cut can come at any moment. What was synced stays. Of the rest each write is kept, dropped, or torn
 * into sectors. Names change in their order, and a sync of any file makes those of before it last, as journaling file systems do.
 */
export class CutDisk {
  readonly #names = new Map<string, Inode>();
  readonly #changes: NameChange[] = [];
  #lastingChanges = 0;

  apply(op: FileOp): void {
    if (op.kind === 'create' && !this.#names.has(op.path)) this.#name(op.path, { synced: new Image(), unsynced: [] });
    else if (op.kind === 'write' || op.kind === 'truncate') this.#names.get(op.path)?.unsynced.push(op);
    else if (op.kind === 'sync') this.#sync(op.path);
    else if (op.kind === 'unlink') this.#name(op.path, null);
    else if (op.kind === 'rename') {
      this.#name(op.to, this.#names.get(op.path) ?? null);
      this.#name(op.path, null);
    }
  }

  /** The files as they are found when the power is back. */
  cut(random: Random): Map<string, Uint8Array> {
    const fate = fatesOf(random);
    const open = this.#changes.length - this.#lastingChanges;
    const lasting = this.#lastingChanges + Math.floor(random() * (open + 1));
    const found = new Map<string, Inode>();
    for (const { name, inode } of this.#changes.slice(0, lasting)) {
      if (inode === null) found.delete(name);
      else found.set(name, inode);
    }
    return new Map([...found].map(([name, inode]) => [name, afterCut(inode, fate, random)]));
  }

  #sync(path: string): void {
    this.#lastingChanges = this.#changes.length;
    const inode = this.#names.get(path);
    if (inode === undefined) return;
    for (const change of inode.unsynced) put(inode.synced, change);
    inode.unsynced = [];
  }

  #name(name: string, inode: Inode | null): void {
    this.#changes.push({ name, inode });
    if (inode === null) this.#names.delete(name);
    else this.#names.set(name, inode);
  }
}

/** One cut in four loses all that was not synced, one keeps it all, the others throw dice for each write. */
function fatesOf(random: Random): () => Fate {
  const kind = random();
  if (kind < 0.25) return () => 'dropped';
  if (kind < 0.5) return () => 'kept';
  return () => (['kept', 'dropped', 'torn'] as const)[Math.floor(random() * 3)]!;
}

function afterCut({ synced, unsynced }: Inode, fate: () => Fate, random: Random): Uint8Array {
  const image = synced.copy();
  for (const change of unsynced) {
    const end = fate();
    if (end === 'kept' || (end === 'torn' && change.kind === 'truncate' && random() < 0.5)) put(image, change);
    else if (end === 'torn' && change.kind === 'write') tear(image, change, random);
  }
  return image.content;
}

function put(image: Image, change: Change): void {
  if (change.kind === 'write') image.write(change.at, change.bytes);
  else image.truncate(change.size);
}

/** Writes some of the sectors that a write touches. */
function tear(image: Image, { at, bytes }: Extract<Change, { kind: 'write' }>, random: Random): void {
  for (let from = at; from < at + bytes.length;) {
    const to = Math.min(at + bytes.length, (Math.floor(from / SECTOR_BYTES) + 1) * SECTOR_BYTES);
    if (random() < 0.5) image.write(from, bytes.subarray(from - at, to - at));
    from = to;
  }
}
