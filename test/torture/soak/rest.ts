import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, temporaryDirectory, type Panicly } from '../../support/binary.ts';
import { residentBytes } from '../kit/process.ts';

/** What a server keeps: looked at when all garbage has been collected. */
export interface Kept {
  /** Memory that is in RAM. */
  readonly bytes: number;
  /** Objects of the main thread. */
  readonly objects: number;
  readonly heapBytes: number;
}

/** The allocator gives pages back to the system so long after they became free: sooner than the program asks for, so that a look need not wait. */
const PURGE_DELAY_MS = 1_000;
const GIVE_BACK_MS = 1_500;

/** Asks a server what it keeps. The server has to be started with `env`. */
export class Collector {
  readonly #report = join(temporaryDirectory(), 'kept.json');

  /** The compiled program loads a script of ours first when Bun's own variable says so. */
  readonly env = {
    BUN_OPTIONS: `--preload ${join(import.meta.dir, 'collect.ts')}`,
    MIMALLOC_PURGE_DELAY: String(PURGE_DELAY_MS),
    SOAK_REPORT: this.#report,
  };

  /** Collects the garbage of a server that has nothing to do, and says what is left. */
  async keptBy(panicly: Panicly): Promise<Kept> {
    rmSync(this.#report, { force: true });
    process.kill(panicly.pid, 'SIGUSR2');
    await eventually('the garbage is collected', async () => existsSync(this.#report));
    await Bun.sleep(GIVE_BACK_MS);
    const { objects, heapBytes } = (await Bun.file(this.#report).json()) as Omit<Kept, 'bytes'>;
    return { bytes: residentBytes(panicly.pid), objects, heapBytes };
  }
}
