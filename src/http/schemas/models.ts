import { Type } from '@sinclair/typebox';
import { named, open } from './named.ts';

/** A model that a project may use. */
export const Model = named(
  'Model',
  open({
    id: Type.String({ description: 'What to send as `model`.' }),
    object: Type.Literal('model'),
    created: Type.Integer({ description: 'Seconds since 1970; 0 when unknown.' }),
    owned_by: Type.String({ description: 'The provider connection that serves it.' }),
  }),
);

/** The models that a project may use, after its model rules. */
export const ModelList = named('ModelList', Type.Object({ object: Type.Literal('list'), data: Type.Array(Model) }));
