import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../support/binary.ts';
import { median } from '../support/percentile.ts';

const ROUNDS = 200;
const PAGE = Buffer.alloc(4_096, 1);

/** How long a write of 4 kB takes to be safe on this disk, median in milliseconds. Nothing that records first can be faster. */
export function fsyncMs(): number {
  const file = openSync(join(temporaryDirectory(), 'fsync'), 'w');
  const took = Array.from({ length: ROUNDS }, () => {
    const from = Bun.nanoseconds();
    writeSync(file, PAGE);
    fdatasyncSync(file);
    return (Bun.nanoseconds() - from) / 1e6;
  });
  closeSync(file);
  return median(took);
}
