import { backup } from './backup.ts';
import { ceiling, crowd } from './ceiling.ts';
import { clock } from './clock.ts';
import { disk } from './disk.ts';
import { fault } from './fault.ts';
import { hostile } from './hostile.ts';
import { kill } from './kill.ts';
import { overload } from './overload.ts';
import { powerCut } from './power-cut.ts';
import { raw } from './raw.ts';
import { soak } from './soak.ts';
import { streams } from './streams.ts';
import { slow } from './slow.ts';
import { stuck } from './stuck.ts';
import { term } from './term.ts';
import { upstream } from './upstream.ts';
import type { Row } from './row.ts';

/** The table of attacks, in the order in which they are made. */
export const ROWS: readonly Row[] = [
  kill,
  fault,
  powerCut,
  disk,
  stuck,
  term,
  hostile,
  upstream,
  raw,
  streams,
  overload,
  slow,
  clock,
  soak,
  crowd,
  ceiling,
  backup,
];
