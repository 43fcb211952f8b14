import { Type } from '@sinclair/typebox';

/** The public id of something. */
export const Id = (what: string) => Type.String({ description: `Public id of the ${what}.` });

/** A moment. */
export const At = (what: string) => Type.String({ description: `${what}, ISO 8601 in UTC.`, examples: ['2026-11-22T14:00:00.000Z'] });

/** What people call something. */
export const Name = Type.String({ minLength: 1, maxLength: 100 });

/** Parameters of a list: where a page begins, and how long it is. */
export const pageFields = {
  limit: Type.Optional(Type.String({ pattern: '^([1-9][0-9]{0,2}|1000)$', description: '1 to 1000, 50 when absent.' })),
  cursor: Type.Optional(Type.String({ description: '`next_cursor` of the page before.' })),
};
