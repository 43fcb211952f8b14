import { Type, type Static } from '@sinclair/typebox';
import { named, nullable, oneOf } from './named.ts';

/** One thing that was looked at. */
export const Finding = named(
  'Finding',
  Type.Object({
    check: Type.String(),
    state: oneOf(['ok', 'warn', 'fail'], { description: 'fail needs a hand, warn a look.' }),
    found: Type.String(),
    fix: nullable(Type.String(), { description: 'What to do about it; null when all is well.' }),
  }),
);

/** What the running server found out about itself. */
export const Examination = named('Examination', Type.Object({ version: Type.String(), at: Type.String(), findings: Type.Array(Finding) }));

export type FindingJson = Static<typeof Finding>;
export type ExaminationJson = Static<typeof Examination>;
