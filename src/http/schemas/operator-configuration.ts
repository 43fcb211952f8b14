import { Type, type Static } from '@sinclair/typebox';
import { closed, named, oneOf } from './named.ts';

const flag = (description: string) => Type.Optional(oneOf(['true', 'false'], { description }));

/** What `panicly apply` sends: the tables of a file that are not of the server. */
export const ConfigurationInput = named(
  'ConfigurationInput',
  Type.Object(
    {},
    {
      additionalProperties: true,
      description: 'workspaces, projects, prices, alerts; see README. Unknown fields are refused with their path.',
    },
  ),
);

/** Everything that a file can say of this server. */
export const Configuration = named(
  'Configuration',
  Type.Object({
    state: Type.String({ description: 'Changes whenever somebody changes what a file can say.' }),
    configuration: Type.Object({}, { additionalProperties: true, description: 'What PUT takes. Secrets are not in it.' }),
  }),
);

/** Parameters of what is exported. */
export const ConfigurationQuery = closed({ full: flag('`true` writes out every default of a policy.') });

/** How a file is applied. */
export const ApplyQuery = closed({
  dry_run: flag('`true` answers with the plan and changes nothing.'),
  prune: flag('`true` removes what the file does not name of the kinds that it names.'),
  confirm: flag('`true` where something is removed or a hold gets smaller.'),
});

const FieldChange = Type.Object({
  path: Type.String({ examples: ['policy.burst.requests'] }),
  before: Type.Optional(Type.Unknown({ description: 'Absent where it was not there.' })),
  after: Type.Optional(Type.Unknown({ description: 'Absent where it goes.' })),
  loosens: Type.Boolean({ description: 'More requests, or dearer ones, can pass than before.' }),
});

/** What applying did, or would do. */
export const ConfigurationPlan = named(
  'ConfigurationPlan',
  Type.Object({
    applied: Type.Boolean(),
    state: Type.String({ description: 'Send it as If-Match: then something else than this plan is never carried out.' }),
    changes: Type.Array(
      Type.Object({
        action: oneOf(['create', 'change', 'remove']),
        noun: oneOf(['workspace', 'project', 'provider', 'price', 'alert']),
        name: Type.String({ examples: ['default/web'] }),
        fields: Type.Array(FieldChange),
        confirm: Type.Array(Type.String(), { description: 'Why it needs `confirm=true`: this would ...' }),
        notes: Type.Array(Type.String()),
      }),
    ),
    unchanged: Type.Integer(),
    not_in_file: Type.Array(
      Type.Object({
        noun: Type.String(),
        name: Type.String(),
        removable: Type.Boolean({ description: 'Whether `prune` removes it.' }),
      }),
    ),
  }),
);

export type ConfigurationJson = Static<typeof Configuration>;
export type ConfigurationPlanJson = Static<typeof ConfigurationPlan>;
