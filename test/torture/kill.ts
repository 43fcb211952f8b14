import { dirname } from 'node:path';
import { runPanicly } from '../support/binary.ts';
import { killRounds } from '../support/kill-rounds.ts';
import { percentile } from '../support/percentile.ts';
import type { Line } from './table.ts';

const READY_MS = 1_000;

/** Kills the server `rounds` times at random moments under mixed load. */
export async function tortureByKill(rounds: number): Promise<Line> {
  const report = await killRounds(rounds, (round) => {
    if (round % 50 === 49) console.error(`kill: ${round + 1} of ${rounds}`);
  });
  const verified = await runPanicly(['ledger', 'verify', '--data', dirname(report.ledger)]);
  const slowest = Math.max(...report.readyMs);
  const findings = [...report.findings];
  if (verified.code !== 0) findings.push(`ledger verify: ${verified.stdout}${verified.stderr}`);
  if (slowest > READY_MS) findings.push(`a start took ${Math.round(slowest)} ms`);
  const [p50, p95] = [0.5, 0.95].map((share) => Math.round(percentile(report.readyMs, share)));
  const cpu = Math.round(percentile(report.readyCpuMs, 0.5));
  return {
    attack: `kill -9, ${rounds} times under mixed load (${report.killedStarting} of them while starting)`,
    goal: 'no forward without a durable decision, one settlement each, ready within 1 s',
    reached: `${report.arrived.length} arrivals, ${report.answered.length} answers, ready in ${p50} / ${p95} / ${Math.round(slowest)} ms (p50 / p95 / max; CPU ${cpu} ms)`,
    findings,
  };
}
