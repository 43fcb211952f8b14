import { Type, type Static } from '@sinclair/typebox';
import { closed, named, nullable, oneOf } from './named.ts';
import { At } from './operator-words.ts';

/** What `panicly ledger head` prints. */
const Head = Type.String({
  description: 'The end of the chain: a line to keep elsewhere.',
  examples: [`head-42-1234-20261122T140000.123Z-${'0'.repeat(64)}`],
});

/** What verifying the ledger found. */
export const LedgerReport = named(
  'LedgerReport',
  Type.Object({
    ok: Type.Boolean(),
    decisions: Type.Integer(),
    settlements: Type.Integer(),
    problems: Type.Array(Type.String(), { description: 'One sentence for each difference.' }),
    first_bad_row: nullable(
      Type.Object({
        table: Type.String(),
        seq: Type.Integer(),
        change: oneOf(['changed', 'removed', 'inserted', 'reordered']),
      }),
      { description: 'The first row that is not as the chain has it.' },
    ),
    notes: Type.Array(Type.String(), { description: 'What could not be told.' }),
    head: nullable(Head),
  }),
);

export const VerifyQuery = closed({
  anchor: Type.Optional(Type.String({ maxLength: 200, description: 'A head of the ledger from before: it must still have it.' })),
});

/** The end of the chain. */
export const LedgerHead = named('LedgerHead', Type.Object({ head: Head }));

export const PruneRequest = named(
  'PruneRequest',
  closed({ older_than_days: Type.Integer({ minimum: 1, maximum: 36_500, description: 'At least 33: budgets look back that far.' }) }),
);

/** How pruning stands. */
export const Pruning = named(
  'Pruning',
  Type.Object({
    running: Type.Boolean(),
    older_than_days: Type.Integer(),
    before: At('What is older than this goes'),
    decisions: Type.Integer(),
    settlements: Type.Integer(),
    corrections: Type.Integer(),
    problem: nullable(Type.String(), { description: 'Why it ended early, or null.' }),
  }),
);

/** The last run of pruning since the start. */
export const PruningState = named('PruningState', Type.Object({ run: nullable(Pruning) }));

export type LedgerReportJson = Static<typeof LedgerReport>;
export type LedgerHeadJson = Static<typeof LedgerHead>;
export type PruningJson = Static<typeof Pruning>;
export type PruningStateJson = Static<typeof PruningState>;
