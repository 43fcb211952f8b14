import { bareCost, GREATEST_RATIO } from './bare-cost.ts';
import { endProcesses } from './processes.ts';

/** `bun test/bench/run.ts`: what a request costs, against a bare pass-through in the same run. Exit code 1 when it is too much. */
const CONNECTIONS = 64;

try {
  const { costs, ratio } = await bareCost({ connections: CONNECTIONS, requests: 15_000, rounds: 7 });
  console.log(`small JSON chat, ${CONNECTIONS} connections, every control in force, synchronous=FULL`);
  console.log('                  CPU us/request   requests/s   p50 ms   p99 ms');
  for (const cost of costs) {
    const figures = [cost.cpuMicroseconds.toFixed(1), cost.requestsPerSecond.toFixed(0), cost.p50Ms.toFixed(1), cost.p99Ms.toFixed(1)];
    console.log(
      `${cost.name.padEnd(16)}  ${figures[0]!.padStart(14)}   ${figures[1]!.padStart(10)}   ${figures[2]!.padStart(6)}   ${figures[3]!.padStart(6)}`,
    );
  }
  const met = ratio <= GREATEST_RATIO;
  console.log(`panicly / bare Elysia: ${ratio.toFixed(2)} times the CPU (at most ${GREATEST_RATIO.toFixed(1)}): ${met ? 'ok' : 'FAILED'}`);
  if (!met) process.exitCode = 1;
} finally {
  endProcesses();
}
