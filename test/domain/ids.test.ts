import { describe, expect, test } from 'bun:test';
import { decisionId, newPublicId, parseDecisionId, type IdPrefix } from '../../src/domain/ids.ts';

describe('decision ids', () => {
  test.each([
    [1, 0, 'dec_0000000001'],
    [35, 1, 'dec_000000001z'],
    [4_000_000_000, 1_795_000_000_000, 'dec_0mwm0nk741u5hvr4'],
    [Number.MAX_SAFE_INTEGER, 36 ** 9 - 1, 'dec_zzzzzzzzz2gosa7pa2gv'],
  ])('seq %d at %d is %s, and back', (seq, atMs, id) => {
    expect(decisionId(seq, atMs)).toBe(id);
    expect(parseDecisionId(id)).toEqual({ seq, atMs });
  });

  test('later ones sort behind', () => {
    const ids = [1, 36, 1_000, 1_795_000_000_000, 1_795_000_000_001].map((atMs) => decisionId(7, atMs));
    expect(ids.toSorted()).toEqual(ids);
  });

  test.each([
    '',
    'dec_',
    'dec_000000000',
    'dec_00000000001',
    'dec_000000000A',
    'dec_000000000-',
    'DEC_0000000001',
    'dec_0000000001\n',
    ' dec_0000000001',
    'dec_000000000zzzzzzzzzzz',
    'dec_000000000zzzzzzzzzzzz',
    'key_0000000001',
  ])('%j is none', (text) => {
    expect(parseDecisionId(text)).toBeNull();
  });
});

describe('public ids', () => {
  test('10,000 of them differ and have the form', () => {
    const ids = Array.from({ length: 10_000 }, () => newPublicId('key'));
    expect(new Set(ids).size).toBe(10_000);
    expect(ids.filter((id) => !/^key_[0-9a-z]{16}$/.test(id))).toEqual([]);
  });

  test('every letter comes about as often', () => {
    const counts = new Map<string, number>();
    for (let index = 0; index < 5_000; index++)
      for (const letter of newPublicId('aud').slice(4)) counts.set(letter, (counts.get(letter) ?? 0) + 1);
    const expected = (5_000 * 16) / 36;
    expect(counts.size).toBe(36);
    expect([...counts.values()].filter((count) => Math.abs(count - expected) > expected * 0.15)).toEqual([]);
  });

  test.each(['wsp', 'prj', 'key', 'con', 'opr', 'alr', 'aud'] as IdPrefix[])('%s is the beginning', (prefix) => {
    expect(newPublicId(prefix)).toStartWith(`${prefix}_`);
  });
});
