import { ARRIVALS, readRecordings, ReplayStage, type Played } from '../support/replay.ts';
import { ledgerDifferences } from '../support/ledger-file.ts';
import { usageDifferences, withShownUsage } from '../support/replay-ledger.ts';

/**
 * Replays recorded traffic from a file through the binary: `bun test/torture/recorded.ts PATH.jsonl[.gz]`.
 * Prints a table and every exception with its reason; the exit code is 1 when anything differs.
 */
const path = Bun.argv[2];
if (path === undefined) {
  console.error('usage: bun test/torture/recorded.ts PATH.jsonl[.gz]');
  process.exit(2);
}

const recordings = readRecordings(path);
const stage = await ReplayStage.open(recordings.map(({ host }) => host));
const played: Played[] = [];
try {
  for (const arrival of ARRIVALS) for (const recording of recordings) played.push(await stage.play(recording, arrival));
} finally {
  await stage.close();
}
report(played, [...ledgerDifferences(stage.ledger), ...usageDifferences(stage.ledger, played)]);

function report(all: readonly Played[], ledger: readonly string[]): void {
  console.log('chunks     interactions   exact   exceptions   wrong');
  for (const arrival of ARRIVALS) {
    const rows = all.filter((one) => one.arrival === arrival);
    const exceptions = rows.filter(({ exception, wrong }) => exception !== null && wrong.length === 0).length;
    const wrong = rows.filter((one) => one.wrong.length > 0).length;
    const figures = [rows.length, rows.length - exceptions - wrong, exceptions, wrong].map((value) => String(value).padStart(11));
    console.log(`${arrival.padEnd(10)} ${figures.join(' ')}`);
  }
  for (const { recording, exception } of all.filter((one) => one.arrival === 'event' && one.exception !== null))
    console.log(`exception  ${recording.name}: ${exception}`);
  const wrong = all.filter((one) => one.wrong.length > 0);
  for (const one of wrong) console.log(`WRONG      ${one.recording.name} [${one.arrival}]: ${one.wrong.join('; ')}`);
  for (const one of ledger) console.log(`LEDGER     ${one}`);
  console.log(`${withShownUsage(all).length} answers showed their usage, each looked up in the ledger`);
  console.log(`${all.length} replays, ${wrong.length} wrong, ${ledger.length} findings in the ledger`);
  if (wrong.length + ledger.length > 0) process.exitCode = 1;
}
