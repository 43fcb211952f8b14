import { checkHolds } from './support/hold-property.ts';
import { runSequences } from './support/ledger-sequences.ts';
import { runRealSequences } from './support/real-ledger-sequences.ts';

/**
 * The random tests with the patience of a night: `bun test/nightly.ts [--share SHARE]`, a share of 0.01 makes a hundredth of each.
 * Every part prints its seed; what fails is thrown with its shortest case.
 */
const SHARE_FLAG = '--share';
const PARTS = 10;
const HOLDS = 100_000;
const SEQUENCES = 100_000;
const REAL_SEQUENCES = 500;

const words = Bun.argv.slice(2);
const share = words[0] === SHARE_FLAG ? Number(words[1]) : 1;
if (!(share > 0 && share <= 1)) {
  console.error(`usage: bun test/nightly.ts [${SHARE_FLAG} SHARE], a share above 0 and up to 1`);
  process.exit(2);
}

await inParts('holds', HOLDS, (count, seed) => {
  checkHolds(count, seed);
  return 'every hold was at least its cost';
});
await inParts('ledgers in memory', SEQUENCES, (count, seed) => `${runSequences(count, seed)} requests admitted`);
await inParts('ledgers in files', REAL_SEQUENCES, async (count, seed) => {
  const { admitted, starts } = await runRealSequences(count, seed);
  return `${admitted} requests admitted, ${starts} crashes and restarts`;
});

/** Runs a property in parts, so that a night shows how far it is. */
async function inParts(what: string, all: number, run: (count: number, seed: number) => string | Promise<string>): Promise<void> {
  const count = Math.max(1, Math.ceil((all * share) / PARTS));
  for (let part = 1; part <= PARTS; part++) {
    const seed = Math.floor(Math.random() * 0x7fff_ffff);
    console.log(`${what}: ${count * part} of ${count * PARTS}, seed ${seed}: ${await run(count, seed)}`);
  }
}
