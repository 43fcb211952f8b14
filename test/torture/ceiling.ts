import { CEILINGS, ceilingRounds, type Ceiling } from '../support/ceiling.ts';
import { binaryCeilingRound, NESTED, type Nested } from '../support/binary-ceiling.ts';
import { sized, type Row } from './row.ts';
import type { Line } from './table.ts';

const NO_HOLDS = {
  name: 'holds do not count against a budget',
  edits: [
    {
      file: 'src/policy/controls/budgets.ts',
      find: 'const after = balance.settledNanoUsd + balance.heldNanoUsd +',
      replace: 'const after = balance.settledNanoUsd +',
    },
  ],
};

/** The sharp edge of a budget, in this process, with the provider held still. */
export const crowd: Row = {
  name: 'crowd',
  limitMinutes: { full: 10, quick: 2, bite: 1 },
  bites: [NO_HOLDS],
  run: (size) => tortureByCrowd(sized(size, { full: 200, quick: 8, bite: 4 })),
};

/** Nested budgets over the binary. */
export const ceiling: Row = {
  name: 'ceiling',
  limitMinutes: { full: 10, quick: 2, bite: 1 },
  bites: [NO_HOLDS],
  run: (size) => tortureByCeiling(sized(size, { full: 60, quick: 3, bite: 3 })),
};

/** 1,000 requests at once on room for exactly 100, the provider held still: `rounds` times, each kind of budget in its turn the tightest. */
async function tortureByCrowd(rounds: number): Promise<Line> {
  const kinds = Object.entries(CEILINGS) as [Ceiling, string][];
  const findings: string[] = [];
  let exact = 0;
  let made = 0;
  for (const [ceiling, reason] of kinds) {
    const seen = await ceilingRounds(ceiling, Math.ceil(rounds / kinds.length));
    made += seen.length;
    for (const { arrived, refused, takenNanoUsd, limitNanoUsd, leftOpen } of seen) {
      const isExact = arrived === 100 && refused[reason] === 900 && leftOpen === 0 && takenNanoUsd <= limitNanoUsd;
      if (isExact) exact++;
      else findings.push(`${ceiling}: ${JSON.stringify({ arrived, refused, takenNanoUsd, limitNanoUsd, leftOpen })}`);
    }
  }
  return {
    attack: `1,000 requests at once on room for 100, ${made} rounds (${kinds.map(([kind]) => kind).join(', ')})`,
    goal: 'exactly 100 reach the provider, no hold stays open',
    reached: `${exact} of ${made} rounds exact`,
    findings,
  };
}

/** Streams, answers and random aborts over the built binary, until nested budgets are full: `rounds` times. */
async function tortureByCeiling(rounds: number): Promise<Line> {
  const findings: string[] = [];
  const sums = { sent: 0, arrived: 0, aborted: 0, unavailable: 0, fullest: 0 };
  for (let round = 0; round < rounds; round++) {
    const tightest: Nested = NESTED[round % NESTED.length]!;
    const report = await binaryCeilingRound(tightest);
    sums.sent += report.sent;
    sums.arrived += report.arrived;
    sums.aborted += report.aborted;
    sums.unavailable += report.unavailable;
    sums.fullest = Math.max(sums.fullest, report.fullest);
    findings.push(...report.findings.map((finding) => `round ${round} (${tightest}): ${finding}`));
    if (round % 10 === 9) console.error(`ceiling: ${round + 1} of ${rounds}`);
  }
  return {
    attack: `hundreds at once over the binary with streams and random aborts, nested budgets, ${rounds} rounds`,
    goal: 'settled + held <= limit at every row, every hold closed, ledger verify clean',
    reached: `${sums.sent} sent, ${sums.arrived} reached the provider, ${sums.aborted} given up by the client, ${sums.unavailable} refused as unavailable; fullest at ${(sums.fullest * 100).toFixed(2)} % of its limit`,
    findings,
  };
}
