import { tortureByCeiling, tortureByCrowd } from './ceiling.ts';
import { tortureByFullDisk } from './disk.ts';
import { tortureByKill } from './kill.ts';
import { tortureByPowerCut } from './power-cut.ts';
import { printed, type Line } from './table.ts';

/** Every attack: `bun test/torture/run.ts [--quick] [NAME ...]`. Prints one table; the exit code is 1 when a goal is missed. */
const QUICK_FLAG = '--quick';
const words = Bun.argv.slice(2);
const quick = words.includes(QUICK_FLAG) || Boolean(Bun.env['QUICK']);
const chosen = words.filter((word) => word !== QUICK_FLAG);

const ATTACKS: Readonly<Record<string, () => Promise<Line>>> = {
  kill: () => tortureByKill(quick ? 40 : 300),
  disk: () => tortureByFullDisk(quick ? 1 : 5),
  'power-cut': () => tortureByPowerCut(quick ? 50 : 1_000),
  crowd: () => tortureByCrowd(quick ? 8 : 200),
  ceiling: () => tortureByCeiling(quick ? 3 : 60),
};

const unknown = chosen.filter((name) => !(name in ATTACKS));
if (unknown.length > 0) {
  console.error(`no such attack: ${unknown.join(', ')} (there are ${Object.keys(ATTACKS).join(', ')})`);
  process.exit(2);
}

const lines: Line[] = [];
for (const [name, attack] of Object.entries(ATTACKS)) if (chosen.length === 0 || chosen.includes(name)) lines.push(await attack());
console.log(printed(lines));
if (lines.some(({ findings }) => findings.length > 0)) process.exitCode = 1;
