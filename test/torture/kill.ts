import { dirname } from 'node:path';
import { killRounds, type KillReport } from '../support/kill-rounds.ts';
import { median, percentile } from '../support/percentile.ts';
import { FORWARDS_EARLY } from './kit/forwards-early.ts';
import { verifyFindings } from './kit/judge.ts';
import { sized, type Row, type Size } from './row.ts';
import type { Line } from './table.ts';

/** Kills the server at random moments under mixed load. */
export const kill: Row = {
  name: 'kill',
  limitMinutes: { full: 20, quick: 2, bite: 1 },
  bites: [FORWARDS_EARLY],
  run: attack,
};

const READY_MS = 1_000;

async function attack(size: Size): Promise<Line> {
  const rounds = sized(size, { full: 2_000, quick: 40, bite: 12 });
  // Most of a round is waiting, so that two servers can be killed at the same time.
  const lanes = sized(size, { full: 2, quick: 1, bite: 1 });
  const onRound = (round: number): void => {
    if (round % 100 === 99) console.error(`kill: ${(round + 1) * lanes} of ${rounds}`);
  };
  const reports = await Promise.all(Array.from({ length: lanes }, () => killRounds(rounds / lanes, onRound)));
  const findings = reports.flatMap((report) => report.findings);
  for (const { ledger } of reports) findings.push(...(await verifyFindings(dirname(ledger))));
  const sum = (count: (report: KillReport) => number): number => reports.reduce((total, report) => total + count(report), 0);
  const readyMs = reports.flatMap((report) => report.readyMs);
  const slowest = Math.max(...readyMs);
  if (slowest > READY_MS) findings.push(`a start took ${Math.round(slowest)} ms`);
  const [p50, p95] = [0.5, 0.95].map((share) => Math.round(percentile(readyMs, share)));
  const cpu = Math.round(median(reports.flatMap((report) => report.readyCpuMs)));
  const ready = `ready in ${p50} / ${p95} / ${Math.round(slowest)} ms (p50 / p95 / max; CPU ${cpu} ms)`;
  return {
    attack: `kill -9, ${rounds} times under mixed load (${sum(({ killedStarting }) => killedStarting)} of them while starting)`,
    goal: 'no forward without a durable decision, one settlement each, ready within 1 s',
    reached: `${sum(({ arrived }) => arrived.length)} arrivals, ${sum(({ answered }) => answered.length)} answers, ${ready}`,
    findings,
  };
}
