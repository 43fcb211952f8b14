import { Type, type Static } from '@sinclair/typebox';
import { listOf, named, nullable, oneOf } from './named.ts';
import { At } from './operator-words.ts';

const Usd = (description: string) => Type.String({ description: `${description}, USD.`, examples: ['1.25'] });

/** A finished backup, as its manifest has it. */
export const Backup = named(
  'Backup',
  Type.Object({
    name: Type.String({ description: 'Its file in the directory of backups.', examples: ['panicly-20261122T140000123Z.db'] }),
    kind: oneOf(['manual', 'scheduled'], { description: 'Only scheduled ones are ever deleted by the schedule.' }),
    made_at: At('When it was made'),
    seq: Type.Integer({ description: 'The last sequence number in it.' }),
    ledger_at: At('The time of its last row'),
    decisions: Type.Integer(),
    settlements: Type.Integer(),
    size_bytes: Type.Integer(),
    sha256: Type.String({ description: 'Of the whole file, hexadecimal.' }),
    chain_head: nullable(Type.String(), { description: 'The end of its chain, as `panicly ledger head` prints it, or null.' }),
    version: Type.String({ description: 'The version of Panicly that made it.' }),
  }),
);
export const BackupList = listOf('BackupList', Backup);

/** What a confirmed restore let go on. */
export const RestoreAnswer = named(
  'RestoreAnswer',
  Type.Object({ workspaces: Type.Array(Type.String(), { description: 'Where Sentry Mode ended.' }) }),
);

/** The form of an export. */
export const ExportFormat = oneOf(['csv', 'jsonl'], {
  description:
    'csv: RFC 4180, with a header row; cells that a spreadsheet would take for a formula get a quote in front. jsonl: as the list.',
});

const spentFields = {
  requests: Type.Integer({ description: 'Of live keys, that were admitted and have settled.' }),
  denied: Type.Integer(),
  input_tokens: Type.Integer(),
  cached_input_tokens: Type.Integer(),
  output_tokens: Type.Integer(),
  cost_usd: Usd('What they cost, with corrections'),
};

const Amount = (description: string) => Type.Object({ requests: Type.Integer(), cost_usd: Type.String() }, { description });

const monthFields = {
  ...spentFields,
  estimated: Amount('Part of the cost: worked out by Panicly, because the provider reported no usage.'),
  unknown: Amount('Part of the cost: the whole hold, because nobody knows whether the provider billed.'),
  corrections: Type.Object({
    count: Type.Integer(),
    difference_usd: Type.String({ description: 'What they changed; below 0 where money was freed. Part of the cost.' }),
  }),
  before: Amount('The month before.'),
  change_usd: Type.String({ description: 'The cost less that of the month before.' }),
};

/** What a month came to, by project. */
export const MonthlyReport = named(
  'MonthlyReport',
  Type.Object({
    month: Type.String({ examples: ['2026-10'] }),
    from: At('The beginning, UTC'),
    to: At('The end, UTC: not part of it'),
    projects: Type.Array(
      Type.Object({
        project_id: Type.String(),
        project: Type.String({ description: 'Its name. Projects that were deleted are in the report too.' }),
        ...monthFields,
        budget: nullable(
          Type.Object({
            rule: Type.String({ examples: ['project month budget', 'project day budget x 31'] }),
            limit_usd: Type.String(),
            used_percent: nullable(Type.Number(), { description: 'The cost as a share of the limit; null when the limit is 0.' }),
          }),
          { description: 'The budget of the project in today’s policy, or null when it has none by month or day.' },
        ),
        models: Type.Array(Type.Object({ model: Type.String(), ...spentFields })),
      }),
    ),
    total: Type.Object(monthFields),
  }),
);

export type BackupJson = Static<typeof Backup>;
export type RestoreAnswerJson = Static<typeof RestoreAnswer>;
export type MonthlyReportJson = Static<typeof MonthlyReport>;
export type MonthlyProjectJson = MonthlyReportJson['projects'][number];
