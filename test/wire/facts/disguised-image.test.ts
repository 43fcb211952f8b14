import { describe, expect, test } from 'bun:test';
import { imagePart } from '../../../src/wire/facts/media.ts';

const be = (value: number): number[] => [value >> 8, value & 255];
const zeros = (length: number): number[] => Array.from({ length }, () => 0);
const sof = (side: number): number[] => [0xff, 0xc0, ...be(17), 8, ...be(side), ...be(side), 3];
const comment = (bytes: number[]): number[] => [0xff, 0xfe, ...be(bytes.length + 2), ...bytes];
const base64 = (bytes: number[]): string => Buffer.from([...bytes, ...zeros(64)]).toString('base64');
const sizeOf = (text: string): (number | null)[] => {
  const { width, height } = imagePart(`data:image/jpeg;base64,${text}`, null);
  return [width, height];
};
const SOI = [0xff, 0xd8];

describe('a large image that is made to look small to whoever only reads its headers is of unknown size', () => {
  test('the test means what it says', () => {
    expect(sizeOf(base64([...SOI, ...comment(zeros(300)), ...sof(9_000)]))).toEqual([9_000, 9_000]);
  });

  test.each([0x01, 0xd0, 0xd7, 0xd8])('a marker %i that has no length', (marker) => {
    // Decoders go on right behind the marker, find the comment and then the true frame. Read as a length, its bytes lead into the comment.
    const true1 = [...comment(zeros(0xfc00)), ...sof(9_000)];
    const bytes = [...SOI, 0xff, marker, ...true1, ...zeros(70_000)];
    bytes.splice(4 + 0xfffe, sof(8).length, ...sof(8));
    expect(sizeOf(base64(bytes))).not.toEqual([8, 8]);
  });

  test('a length that is none', () => {
    expect(sizeOf(base64([...SOI, 0xff, 0xe0, 0, 0, ...sof(8), ...sof(9_000)]))).toEqual([null, null]);
  });

  test('space within a part that is skipped, which decoders leave out', () => {
    // With four characters of space the next place is three bytes later here than for a decoder.
    const inside = zeros(300);
    inside.splice(297 - 16, 11, ...sof(8).slice(0, 10), 3);
    const rows: (number | null)[][] = [];
    for (const spaces of [4, 8, 12, 16, 20, 24]) {
      const text = base64([...SOI, ...comment([...inside.slice(0, 281), ...sof(8), ...zeros(8)]), ...sof(9_000)]);
      rows.push(sizeOf(text.slice(0, 40) + ' '.repeat(spaces) + text.slice(40)));
    }
    expect(rows).toEqual(rows.map(() => [null, null]));
  });
});
