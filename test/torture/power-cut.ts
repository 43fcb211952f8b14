import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diceOf } from './kit/dice.ts';
import { inLanes } from './kit/judge.ts';
import { CutDisk } from './power-cut/disk.ts';
import { look, type Promised } from './power-cut/look.ts';
import { record } from './power-cut/record.ts';
import type { FileOp } from './power-cut/trace.ts';
import { sized, type Row } from './row.ts';
import type { Line } from './table.ts';

/** The power goes. */
export const powerCut: Row = {
  name: 'power-cut',
  needs: [{ program: 'strace', debianPackage: 'strace' }],
  limitMinutes: { full: 10, quick: 2, bite: 1 },
  bites: [{ name: 'commits are not synced (synchronous=NORMAL)', env: { POWER_CUT_WEAK: '1' } }],
  run: (size) => tortureByPowerCut(sized(size, { full: 1_000, quick: 50, bite: 25 })),
};

/** A cut waits for the Workers of its ledger more than it works. */
const LANES = 3;
const BITES = 25;
const TRACES_FOR_EACH = 250;

/** Cuts the power at `replays` random moments of recorded loads, and looks at what is left; the same with weaker commits must be caught. */
async function tortureByPowerCut(replays: number): Promise<Line> {
  const line = {
    attack: `a power cut, ${replays} times at a random moment: unsynced writes kept, dropped or torn`,
    goal: 'no promise lost, no balance beside its rows, no period richer, verify clean; synchronous=NORMAL is caught',
  };
  const findings: string[] = [];
  const seen = { ops: 0, syncs: 0, promises: 0 };
  for (let from = 0; from < replays; from += TRACES_FOR_EACH) {
    const ops = await record(Bun.env['POWER_CUT_WEAK'] === '1' ? 'NORMAL' : 'FULL');
    seen.ops += ops.length;
    seen.syncs += ops.filter(({ kind }) => kind === 'sync').length;
    seen.promises += ops.filter(({ kind }) => kind === 'mark').length;
    const cuts = Array.from({ length: Math.min(TRACES_FOR_EACH, replays - from) }, (_, index) => from + index);
    await inLanes(cuts, LANES, async (replay) => void findings.push(...(await cutOnce(ops, replay))));
    console.error(`power cut: ${Math.min(replays, from + TRACES_FOR_EACH)} of ${replays}`);
  }
  const weak = await record('NORMAL');
  let caught = 0;
  await inLanes(Array(BITES).keys(), LANES, async (replay) => {
    if ((await cutOnce(weak, replay)).length > 0) caught++;
  });
  if (caught === 0) findings.push(`of ${BITES} cuts with synchronous=NORMAL none was caught: this check does not bite`);
  const reached = `${seen.ops} recorded calls, ${seen.syncs} of them syncs, ${seen.promises} promises; with NORMAL ${caught} of ${BITES} cuts lost something`;
  return { ...line, reached, findings };
}

/** One cut; the number of the replay is the seed of its dice. */
async function cutOnce(ops: readonly FileOp[], replay: number): Promise<string[]> {
  const random = diceOf(replay);
  const end = 1 + Math.floor(random() * ops.length);
  const disk = new CutDisk();
  const promised: Promised = { started: false, decisions: new Set(), settlements: new Set() };
  for (const op of ops.slice(0, end)) {
    if (op.kind === 'mark') promise(promised, op.text);
    else disk.apply(op);
  }
  const dataDir = mkdtempSync(join(tmpdir(), 'panicly-cut-'));
  try {
    for (const [name, bytes] of disk.cut(random)) writeFileSync(join(dataDir, name), bytes);
    return (await look(dataDir, promised)).map((finding) => `cut ${replay} after ${end} of ${ops.length} calls: ${finding}`);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

function promise(promised: Promised, text: string): void {
  for (const line of text.split('\n')) {
    const [word, seq] = line.split(' ');
    if (word === 'start') promised.started = true;
    else if (word === 'd') promised.decisions.add(Number(seq));
    else promised.settlements.add(Number(seq));
  }
}
