import { dirname } from 'node:path';
import { killRounds } from '../support/kill-rounds.ts';
import { median, percentile } from '../support/percentile.ts';
import { FORWARDS_EARLY } from './kit/forwards-early.ts';
import { verifyFindings } from './kit/judge.ts';
import { sized, type Row, type Size } from './row.ts';
import type { Line } from './table.ts';

/** Kills the server at random moments under mixed load. */
export const kill: Row = {
  name: 'kill',
  limitMinutes: { full: 25, quick: 2, bite: 1 },
  bites: [FORWARDS_EARLY],
  run: attack,
};

const READY_MS = 1_000;

async function attack(size: Size): Promise<Line> {
  const rounds = sized(size, { full: 2_000, quick: 40, bite: 12 });
  // One server at a time: another one under load would take the processor from a start.
  const report = await killRounds(rounds, (round) => {
    if (round % 100 === 99) console.error(`kill: ${round + 1} of ${rounds}`);
  });
  const { arrived, answered, readyMs, readyCpuMs, killedStarting } = report;
  const findings = [...report.findings, ...(await verifyFindings(dirname(report.ledger)))];
  const slowest = Math.max(...readyMs);
  if (slowest > READY_MS) findings.push(`a start took ${Math.round(slowest)} ms`);
  const [p50, p95] = [0.5, 0.95].map((share) => Math.round(percentile(readyMs, share)));
  const ready = `ready in ${p50} / ${p95} / ${Math.round(slowest)} ms (p50 / p95 / max; CPU ${Math.round(median(readyCpuMs))} ms)`;
  return {
    attack: `kill -9, ${rounds} times under mixed load (${killedStarting} of them while starting)`,
    goal: 'no forward without a durable decision, one settlement each, ready within 1 s',
    reached: `${arrived.length} arrivals, ${answered.length} answers, ${ready}`,
    findings,
  };
}
