import { Type, type Static } from '@sinclair/typebox';
import { closed, listOf, named, nullable, oneOf } from './named.ts';

/** Parameters of `GET /admin/v1/projects/{id}/keys`. */
export const KeyQuery = closed({
  unused_for: Type.Optional(
    Type.String({ description: 'Only keys that work and that nobody used for so long: `30d`, `12h` or `2w`.', examples: ['30d'] }),
  ),
});

/** What `POST /admin/v1/keys/lookup` takes. */
export const KeyLookupInput = named(
  'KeyLookupInput',
  closed({
    sha256: Type.Array(Type.String({ pattern: '^[0-9a-f]{64}$' }), {
      minItems: 1,
      maxItems: 1000,
      description: 'SHA-256 of keys or operator tokens, lower-case hexadecimal. Never send the secret itself.',
    }),
  }),
);

/** What a found secret is. */
export const FoundSecret = named(
  'FoundSecret',
  Type.Object({
    sha256: Type.String(),
    kind: nullable(oneOf(['key', 'operator']), { description: 'Null when it is unknown.' }),
    status: oneOf(['active', 'expired', 'revoked', 'unknown'], { description: 'unknown: no secret of this server that you may see.' }),
    id: nullable(Type.String()),
    name: nullable(Type.String()),
    project_id: nullable(Type.String(), { description: 'Of a key.' }),
  }),
);
export const FoundSecretList = listOf('FoundSecretList', FoundSecret);

/** How a change of the master key ended. */
export const MasterKeyRotation = named(
  'MasterKeyRotation',
  Type.Object({
    source: oneOf(['file', 'environment'], { description: 'Where the key comes from.' }),
    resealed: Type.Integer({ description: 'How many stored secrets were sealed anew.' }),
    unreadable: Type.Integer({ description: 'How many stored secrets no key opens: they were lost before.' }),
  }),
);

export type MasterKeyRotationJson = Static<typeof MasterKeyRotation>;
export type FoundSecretJson = Static<typeof FoundSecret>;
