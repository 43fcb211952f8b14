import { cpus } from 'node:os';
import { denied } from './denied.ts';
import { fsyncMs } from './fsync.ts';
import { largeBodies } from './large.ts';
import { parts } from './parts.ts';
import { endProcesses } from './processes.ts';
import { smallChat } from './small.ts';
import { streams } from './streams.ts';
import { judged, printed, type Row } from './table.ts';

/** `bun test/bench/run.ts [NAME ...]`: what requests cost beside others who pass them on. Exit code 1 when a goal is missed. */
const BENCHMARKS: Readonly<Record<string, () => Promise<Row[]>>> = { small: smallChat, streams, large: largeBodies, denied, parts };

const chosen = Bun.argv.slice(2);
const unknown = chosen.filter((name) => !Object.hasOwn(BENCHMARKS, name));
if (unknown.length > 0) {
  console.error(`no such benchmark: ${unknown.join(', ')} (there are ${Object.keys(BENCHMARKS).join(', ')})`);
  process.exit(2);
}

const rows: Row[] = [];
try {
  for (const [name, benchmark] of Object.entries(BENCHMARKS)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    console.error(`measuring: ${name}`);
    rows.push(...(await measured(name, benchmark)));
    endProcesses();
  }
} finally {
  endProcesses();
}
console.log(
  `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), a synced write takes ${fsyncMs().toFixed(2)} ms, ratios are medians of rounds in turns\n`,
);
console.log(printed(rows));
process.exit(rows.some(({ met }) => met === false) ? 1 : 0);

/** One that breaks is a goal that is missed, and the others are still measured. */
async function measured(name: string, benchmark: () => Promise<Row[]>): Promise<Row[]> {
  try {
    return await benchmark();
  } catch (error) {
    return [
      judged(name, 'the benchmark', `broke: ${error instanceof Error ? error.message : String(error)}`, 'that it can be measured', false),
    ];
  }
}
