import { Type, type Static } from '@sinclair/typebox';
import { closed, listOf, named, nullable, oneOf } from './named.ts';

const Count = Type.Integer({ minimum: 0 });
const confirm = Type.Optional(
  Type.Boolean({ description: 'True where holds get smaller by it. Without it such a change is refused with 409.' }),
);
const dryRun = Type.Optional(Type.Boolean({ description: 'True only tells what it would change.' }));

/** What `POST /admin/v1/prices/catalogue` takes. */
export const CatalogueInput = named(
  'CatalogueInput',
  closed({
    document: Type.Object(
      {},
      { description: 'A price list in the form of db/models.json: nano-USD for a million tokens.', additionalProperties: true },
    ),
    confirm,
    dry_run: dryRun,
    pin: Type.Optional(Type.Boolean({ description: 'True keeps the list also when a newer binary carries a newer one.' })),
  }),
);

/** What `POST /admin/v1/prices/catalogue/rollback` takes. */
export const RollbackInput = named(
  'CatalogueRollbackInput',
  closed({
    to: Type.Optional(Type.Integer({ minimum: 1, description: 'A version; the one before when absent.' })),
    confirm,
    dry_run: dryRun,
  }),
);

const counts = {
  models: Count,
  added: Count,
  removed: Count,
  changed: Count,
  lowered: Type.Integer({ minimum: 0, description: 'Names for which holds got smaller by it.' }),
};

/** A version of the price list. */
export const CatalogueVersion = named(
  'CatalogueVersion',
  Type.Object({
    version: Type.Integer({ description: 'Grows with every change of prices; decisions name it, or a later change of one price.' }),
    at: Type.String(),
    origin: oneOf(['embedded', 'refresh', 'rollback'], { description: 'embedded: the list that the binary carries.' }),
    rolled_back_to: nullable(Type.Integer(), { description: 'The version whose content it has again.' }),
    as_of: Type.String({ description: 'The day of its prices.' }),
    pinned: Type.Boolean({ description: 'True when not even a newer binary replaces it.' }),
    ...counts,
    author: Type.String(),
    kept: Type.Boolean({ description: 'Whether its document is there: only then can it be gone back to.' }),
    in_force: Type.Boolean(),
  }),
);
export const CatalogueVersionList = listOf('CatalogueVersionList', CatalogueVersion);

const Text = nullable(Type.String());

/** What a change of the price list changed, or would. */
export const CatalogueReport = named(
  'CatalogueReport',
  Type.Object({
    outcome: oneOf(['applied', 'dry_run', 'unchanged', 'unconfirmed']),
    version: Type.Integer({ description: 'The version in force now.' }),
    as_of: Type.String({ description: 'The day of the prices in the list that was offered.' }),
    ...counts,
    changes: Type.Array(
      Type.Object({
        provider: Type.String(),
        model: Type.String(),
        change: oneOf(['added', 'removed', 'changed']),
        lowers: nullable(Type.String(), { description: 'What makes holds smaller by it, in words.' }),
        fields: Type.Array(Type.Object({ field: Type.String(), before: Text, after: Text })),
      }),
      { description: 'Those that make holds smaller first; at most 1000.' },
    ),
  }),
);

export type CatalogueReportJson = Static<typeof CatalogueReport>;
export type CatalogueVersionJson = Static<typeof CatalogueVersion>;
