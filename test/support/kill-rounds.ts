import { join } from 'node:path';
import { parseDecisionId } from '../../src/domain/ids.ts';
import { startPanicly, type Panicly } from './binary.ts';
import { cpuMicroseconds } from './cpu.ts';
import { ledgerDifferences, reading } from './ledger-file.ts';
import { markerOf, mixedProvider, MixedLoad, type Answered } from './mixed-load.ts';
import { startMockProvider, type MockProvider } from './mock-provider.ts';

/** What was seen over all rounds. */
export interface KillReport {
  /** Rounds whose kill came before the server was ready. */
  killedStarting: number;
  /** Markers of the requests that reached the provider. */
  readonly arrived: string[];
  readonly answered: Answered[];
  /** From the start of the process to the first 200 of `/readyz`, milliseconds, for each start that was waited for. */
  readonly readyMs: number[];
  /** CPU that each of those starts took, milliseconds: what the machine does besides does not count in this. */
  readonly readyCpuMs: number[];
  readonly ledger: string;
  /** What must not be. Empty when all is well. */
  readonly findings: string[];
}

const WORKERS = 8;
const CHECK_EVERY = 50;

/** Every control in force, all out of reach: holds and budgets are kept as in earnest. */
export const OUT_OF_REACH = {
  burst: { mode: 'enforce', requests: 100_000 },
  abuse: { mode: 'enforce', limit_usd: '1000000' },
  loop_guard: { mode: 'enforce', repeats: 1_000 },
  concurrency: { mode: 'enforce', requests: 100_000 },
  budgets: [{ scope: 'project', period: 'day', limit_usd: '1000000' }],
};

/** Kills the server at random moments under mixed load, starts it again, and looks whether the ledger holds what it must. */
export async function killRounds(rounds: number, onRound: (round: number) => void = () => undefined): Promise<KillReport> {
  const provider = await startMockProvider({ script: mixedProvider });
  const panicly = await startPanicly();
  const ledger = join(panicly.dataDir, 'panicly.db');
  const report: KillReport = { killedStarting: 0, arrived: [], answered: [], readyMs: [], readyCpuMs: [], ledger, findings: [] };
  try {
    await panicly.connect(provider, { kind: 'openai' });
    await panicly.policy(OUT_OF_REACH);
    const key = panicly.liveKey;
    await panicly.kill();
    for (let round = 0; round < rounds; round++) {
      await killOnce(panicly, provider, key, round, report);
      if (round % CHECK_EVERY === CHECK_EVERY - 1) report.findings.push(...(await recoveredFindings(panicly, report)));
      onRound(round);
    }
    report.findings.push(...(await recoveredFindings(panicly, report)));
  } finally {
    await panicly.kill();
    await provider.close();
  }
  return report;
}

async function killOnce(panicly: Panicly, provider: MockProvider, key: string, round: number, report: KillReport): Promise<void> {
  if (round % 6 === 5) return await killStarting(panicly, report);
  await startTimed(panicly, report);
  const load = new MixedLoad({ url: panicly.url, key, workers: WORKERS, label: `round${round}` });
  await Bun.sleep(5 + Math.random() * 350);
  await panicly.kill();
  await load.end();
  report.arrived.push(...provider.seen.map(markerOf));
  report.answered.push(...load.answered);
  provider.reset();
}

async function killStarting(panicly: Panicly, report: KillReport): Promise<void> {
  const starting = panicly.start().catch(() => undefined);
  await Bun.sleep(Math.random() * 120);
  await panicly.kill();
  await starting;
  report.killedStarting++;
}

/** Starts, and notes how long it took until the server said that it was ready. */
async function startTimed(panicly: Panicly, report: KillReport): Promise<void> {
  const fromMs = performance.now();
  await panicly.start();
  while (!(await fetch(`${panicly.url}/readyz`)).ok) await Bun.sleep(2);
  report.readyMs.push(performance.now() - fromMs);
  if (process.platform === 'linux') report.readyCpuMs.push(cpuMicroseconds(panicly.pid) / 1000);
}

/** Recovers once more and ends in order, so that every row is in the file, then looks at the rows. */
async function recoveredFindings(panicly: Panicly, report: KillReport): Promise<string[]> {
  await startTimed(panicly, report);
  const code = await panicly.stop();
  return [...(code === 0 ? [] : [`the server ended with ${code}: ${panicly.stderr()}`]), ...killFindings(report.ledger, report)];
}

/** What the ledger says that it must not, given what arrived at the provider and what clients were told. */
export function killFindings(ledger: string, seen: Pick<KillReport, 'arrived' | 'answered'>): string[] {
  const arrivals = new Map<string, number>();
  for (const marker of seen.arrived) arrivals.set(marker, (arrivals.get(marker) ?? 0) + 1);
  return reading(ledger, (db) => {
    const allowed = new Map<string, number>();
    const rows = db.query<{ user: string; rows: number }, []>(
      'SELECT end_user AS user, count(*) AS rows FROM decisions WHERE reason IS NULL AND end_user IS NOT NULL GROUP BY end_user',
    );
    for (const { user, rows: count } of rows.all()) allowed.set(user, count);
    const owner = db.query<{ user: string }, [number]>('SELECT end_user AS user FROM decisions WHERE seq = ? AND reason IS NULL');
    const unrecorded = [...arrivals].filter(([marker, count]) => count > (allowed.get(marker) ?? 0));
    const forgotten = seen.answered.filter(({ marker, decisionId }) => owner.get(parseDecisionId(decisionId)?.seq ?? 0)?.user !== marker);
    return [
      ...ledgerDifferences(ledger),
      ...unrecorded.map(([marker, count]) => `${marker} reached the provider ${count} times with ${allowed.get(marker) ?? 0} decisions`),
      ...forgotten.map(({ marker, decisionId }) => `${marker} was answered as ${decisionId}, which is not in the ledger`),
    ];
  });
}
