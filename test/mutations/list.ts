import { BOUNDS } from './bounds.ts';
import { MONEY } from './money.ts';
import type { Mutation } from './mutation.ts';
import { PATH } from './path.ts';
import { RECORD } from './record.ts';

/** Every deliberate defect. */
export const MUTATIONS: readonly Mutation[] = [...MONEY, ...BOUNDS, ...RECORD, ...PATH];
