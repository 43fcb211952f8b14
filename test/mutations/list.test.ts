import { describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { occurrences } from './apply.ts';
import { MUTATIONS } from './list.ts';
import { ROWS } from '../torture/rows.ts';

const ROOT = join(import.meta.dir, '../..');

describe('the list of deliberate defects', () => {
  test('is long enough, and each has its own name', () => {
    expect(MUTATIONS.length).toBeGreaterThan(11);
    expect(new Set(MUTATIONS.map(({ name }) => name)).size).toBe(MUTATIONS.length);
  });

  test.each(MUTATIONS.map((mutation) => [mutation.name, mutation] as const))('%s: the place is there, and its tests', (_, mutation) => {
    expect(occurrences(ROOT, mutation)).toBe(1);
    expect(mutation.replace).not.toBe(mutation.find);
    expect(mutation.tests.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(mutation.tests).not.toBeEmpty();
  });
});

describe('the defects that torture plants', () => {
  const edits = ROWS.flatMap((row) => row.bites.flatMap((bite) => (bite.edits ?? []).map((edit) => [row.name, bite.name, edit] as const)));
  test('are there', () => expect(edits.length).toBeGreaterThan(15));
  test.each(edits)('%s: %s: the place is there', (_row, name, edit) => {
    expect(occurrences(ROOT, { ...edit, name, tests: [] })).toBe(1);
    expect(edit.replace).not.toBe(edit.find);
  });
});
