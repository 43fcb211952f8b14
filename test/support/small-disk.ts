import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from './binary.ts';

const FILLER = 'filler';

/** A file system of its own in memory, small enough to be filled. Needs the right to mount. */
export class SmallDisk {
  private constructor(
    /** Where it is mounted. */
    readonly path: string,
  ) {}

  /** Mounts one of `megabytes`, or says why that does not work here. */
  static mount(megabytes: number): SmallDisk | string {
    if (process.platform !== 'linux') return 'a small disk is made with tmpfs, which is of Linux';
    const path = temporaryDirectory();
    const made = command(['mount', '-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700`, 'tmpfs', path]);
    return made === null ? new SmallDisk(path) : `tmpfs cannot be mounted here: ${made}`;
  }

  /** Writes until nothing more fits, not even one page. */
  fill(): void {
    const file = openSync(join(this.path, FILLER), 'a');
    try {
      for (const size of [1 << 20, 1 << 12, 1]) {
        const block = Buffer.alloc(size);
        while (writes(file, block)) continue;
      }
    } finally {
      closeSync(file);
    }
  }

  /** Makes room again. */
  free(): void {
    rmSync(join(this.path, FILLER), { force: true });
  }

  unmount(): void {
    command(['umount', '--lazy', this.path]);
  }
}

function writes(file: number, block: Buffer): boolean {
  try {
    return writeSync(file, block) === block.length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
    throw error;
  }
}

/** Null when it worked, else what it said. */
function command(words: string[]): string | null {
  try {
    const { exitCode, stderr } = Bun.spawnSync(words, { stderr: 'pipe' });
    return exitCode === 0 ? null : stderr.toString().trim();
  } catch (error) {
    return String(error);
  }
}
