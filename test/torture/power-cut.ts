import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CutDisk, type Random } from './power-cut/disk.ts';
import { look, type Promised } from './power-cut/look.ts';
import { cannotRecord, record } from './power-cut/record.ts';
import type { FileOp } from './power-cut/trace.ts';
import type { Line } from './table.ts';

const BITES = 25;
const TRACES_FOR_EACH = 250;

/** Cuts the power at `replays` random moments of recorded loads, and looks at what is left; the same with weaker commits must be caught. */
export async function tortureByPowerCut(replays: number): Promise<Line> {
  const line = {
    attack: `a power cut, ${replays} times at a random moment: unsynced writes kept, dropped or torn`,
    goal: 'no promise lost, no balance beside its rows, no period richer, verify clean; synchronous=NORMAL is caught',
  };
  const cannot = cannotRecord();
  if (cannot !== null) return { ...line, reached: '', findings: [], skipped: cannot };
  const findings: string[] = [];
  const seen = { ops: 0, syncs: 0, promises: 0 };
  for (let from = 0; from < replays; from += TRACES_FOR_EACH) {
    const ops = await record('FULL');
    seen.ops += ops.length;
    seen.syncs += ops.filter(({ kind }) => kind === 'sync').length;
    seen.promises += ops.filter(({ kind }) => kind === 'mark').length;
    for (let replay = from; replay < Math.min(replays, from + TRACES_FOR_EACH); replay++) findings.push(...(await cutOnce(ops, replay)));
    console.error(`power cut: ${Math.min(replays, from + TRACES_FOR_EACH)} of ${replays}`);
  }
  const weak = await record('NORMAL');
  let caught = 0;
  for (let replay = 0; replay < BITES; replay++) if ((await cutOnce(weak, replay)).length > 0) caught++;
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

/** mulberry32: small, and the same on every machine. */
function diceOf(seed: number): Random {
  let state = Math.imul(seed + 1, 0x9e37_79b9);
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
