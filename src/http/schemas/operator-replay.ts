import { Type, type Static } from '@sinclair/typebox';
import { closed, named, nullable } from './named.ts';
import { At, Id } from './operator-words.ts';

const Moment = (what: string) =>
  Type.String({ description: `${what}: ISO 8601, or a stretch before now such as \`7d\`, \`24h\`, \`30m\`.` });
const Usd = (what: string) => Type.String({ description: what, examples: ['12.50'] });

/** What `POST /admin/v1/projects/{id}/policy/replay` takes. */
export const ReplayInput = named(
  'ReplayInput',
  closed({
    policy: Type.Optional(
      Type.Object(
        {},
        { additionalProperties: true, description: 'The policy to try. Without one each request is judged by the version that judged it.' },
      ),
    ),
    from: Type.Optional(Moment('Decisions from this moment on, `7d` when absent')),
    to: Type.Optional(Moment('Decisions before this moment, now when absent')),
  }),
);

const Side = Type.Object({
  allowed: Type.Integer(),
  denied: Type.Integer(),
  observed: Type.Integer({ description: 'Requests against which a control in observe mode spoke.' }),
  cost_usd: Usd('What the allowed requests cost.'),
});

const Example = Type.Object({
  id: Id('decision'),
  at: At('When it was judged'),
  key_id: Id('key'),
  model: Type.String(),
  end_user: nullable(Type.String()),
  requests: Type.Integer({ description: 'How many equal requests the decision stands for that change.' }),
  before: nullable(Type.String(), { description: 'The reason of the denial, or null for an allow.' }),
  after: nullable(Type.String(), { description: 'The same under the policy that is tried.' }),
  rule: nullable(Type.String()),
  limit: nullable(Type.String()),
  observed: nullable(Type.String()),
  cost_usd: nullable(Type.String(), { description: 'What it had cost, or is taken to cost; null while it is in flight.' }),
});

const Changed = Type.Object({
  requests: Type.Integer(),
  cost_usd: Usd('What they had cost, or are taken to cost.'),
  examples: Type.Array(Example, { description: 'The first ten.' }),
});

const Groups = Type.Array(
  Type.Object({
    name: Type.String(),
    newly_denied: Type.Integer(),
    newly_allowed: Type.Integer(),
    not_spent_usd: Usd('What the newly denied had cost.'),
    newly_spent_usd: Usd('What the newly allowed are taken to cost.'),
  }),
);

/** What a replay found. */
export const ReplayReport = named(
  'ReplayReport',
  Type.Object({
    project_id: Id('project'),
    from: At('The beginning'),
    to: At('The end'),
    policy: Type.String({ description: '`proposed`, or `in_force` when none was sent.' }),
    decisions: Type.Integer({ description: 'Rows that were judged anew; a row can stand for many equal denials.' }),
    before: Side,
    after: Side,
    newly_denied: Changed,
    newly_allowed: Changed,
    other_reason: Type.Integer({ description: 'Denied before and after, for another reason.' }),
    other_hold: Type.Object({ requests: Type.Integer(), not_spent_usd: Usd('What lower output caps would have kept.') }),
    other_observed: Type.Integer({ description: 'The same verdict, but other findings of controls in observe mode.' }),
    not_spent_usd: Usd('What would not have been spent.'),
    newly_spent_usd: Usd('What would have been spent besides.'),
    by_reason: Groups,
    by_model: Groups,
    by_key: Groups,
    by_day: Groups,
    notes: Type.Array(Type.String(), { description: 'What the replay cannot say.' }),
  }),
);

export type ReplayReportJson = Static<typeof ReplayReport>;

/** A line of a replay that is asked for as a stream: progress from 0 to 1, then the report or an error. */
export type ReplayEventJson =
  | { readonly progress: number }
  | { readonly report: ReplayReportJson }
  | { readonly error: { readonly message: string; readonly reason: string } };
