import { describe, expect, test } from 'bun:test';
import { imagePart } from '../../../src/wire/facts/media.ts';
import { chatFacts } from '../../support/facts.ts';

const filled = (length: number, value: number): number[] => Array.from({ length }, () => value);
const dataUrl = (mime: string, bytes: number[]): string =>
  `data:${mime};base64,${Buffer.from([...bytes, ...filled(64, 0)]).toString('base64')}`;
const text = (ascii: string): number[] => [...Buffer.from(ascii, 'latin1')];
const be = (value: number): number[] => [value >> 8, value & 255];
const le = (value: number): number[] => [value & 255, value >> 8];

const png = [0x89, ...text('PNG\r\n\x1a\n'), 0, 0, 0, 13, ...text('IHDR'), 0, 0, ...be(640), 0, 0, ...be(480)];
const exif = [0xff, 0xe1, ...be(1_002), ...filled(1_000, 0xff)];
const jpeg = [0xff, 0xd8, ...exif, 0xff, 0xc4, ...be(4), 0, 0, 0xff, 0xc2, ...be(17), 8, ...be(480), ...be(640)];
const gif = [...text('GIF89a'), ...le(10), ...le(10), 0x80, 0, 0, ...filled(6, 0), 0x2c, ...le(5), ...le(5), ...le(635), ...le(475)];
const webpHead = [...text('RIFF'), 0, 0, 0, 0, ...text('WEBP')];
const vp8x = [...webpHead, ...text('VP8X'), 10, 0, 0, 0, 0, 0, 0, 0, ...le(639), 0, ...le(479), 0];
const lossless = 639 + 479 * 16_384;
const vp8l = [
  ...webpHead,
  ...text('VP8L'),
  0,
  0,
  0,
  0,
  0x2f,
  lossless & 255,
  (lossless >> 8) & 255,
  (lossless >> 16) & 255,
  (lossless >> 24) & 255,
];
const vp8 = [...webpHead, ...text('VP8 '), 0, 0, 0, 0, 0, 0, 0, 0x9d, 1, 0x2a, ...le(640), ...le(480)];

describe('the size of an inline image comes from its own header', () => {
  test.each([
    ['png', png],
    ['jpeg', jpeg],
    ['gif', gif],
    ['webp extended', vp8x],
    ['webp lossless', vp8l],
    ['webp lossy', vp8],
  ])('%s', (name, bytes) => {
    const part = imagePart(dataUrl(`image/${name.split(' ')[0]}`, bytes), 'high');
    expect(part).toMatchObject({ kind: 'image', source: 'inline', width: 640, height: 480, detail: 'high' });
    expect(part.bytes).toBeGreaterThanOrEqual(bytes.length);
  });

  test('the stated type is not believed', () => {
    expect(imagePart(dataUrl('image/gif', png), null)).toMatchObject({ width: 640, height: 480 });
  });
});

describe('an image whose size cannot be read is of unknown size', () => {
  test.each([
    ['a web address', 'https://x.test/a.png', 'reference'],
    ['nothing', '', 'reference'],
    ['rubbish', 'data:image/png;base64,????', 'inline'],
    ['too short', `data:image/png;base64,${Buffer.from('x').toString('base64')}`, 'inline'],
    ['line breaks, which shift every offset', `data:image/png;base64,\n${Buffer.from(png).toString('base64')}`, 'inline'],
    [
      'a size of nothing',
      dataUrl('image/png', [0x89, ...text('PNG\r\n\x1a\n'), 0, 0, 0, 13, ...text('IHDR'), 0, 0, 0, 0, 0, 0, 0, 0]),
      'inline',
    ],
    ['a jpeg without a frame', dataUrl('image/jpeg', [0xff, 0xd8, 0xff, 0xd9]), 'inline'],
    ['not base64', 'data:image/svg+xml,<svg/>', 'reference'],
  ])('%s', (_name, url, source) => {
    expect(imagePart(url, null)).toMatchObject({ source: source as 'inline', width: null, height: null });
  });
});

test.each([
  [
    { type: 'image_url', image_url: { url: 'https://x.test/a.png', detail: 'low' } },
    { kind: 'image', source: 'reference', detail: 'low' },
  ],
  [
    { type: 'image_url', image_url: 'https://x.test/a.png' },
    { kind: 'image', source: 'reference' },
  ],
  [
    { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
    { kind: 'audio', source: 'inline', bytes: 3 },
  ],
  [
    { type: 'file', file: { filename: 'a', file_data: 'data:application/pdf;base64,AAAA' } },
    { kind: 'file', source: 'inline' },
  ],
  [
    { type: 'file', file: { file_data: 'https://x.test/a.pdf' } },
    { kind: 'file', source: 'reference' },
  ],
  [
    { type: 'document_url', document_url: 'https://x.test/a.pdf' },
    { kind: 'file', source: 'reference' },
  ],
  [
    { type: 'video_url', video_url: { url: 'https://x.test/a.mp4' } },
    { kind: 'video', source: 'reference' },
  ],
])('part %p', (part, expected) => {
  const facts = chatFacts({ messages: [{ role: 'user', content: [part] }] });
  expect(facts.media).toHaveLength(1);
  expect(facts.media[0]).toMatchObject(expected);
  expect(facts.textBytes).toBeLessThan(5);
});
