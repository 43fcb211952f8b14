import { describe, expect, test } from 'bun:test';
import { Exposition } from '../../src/telemetry/exposition.ts';
import { BATCH_ROWS, Histogram, LONG_SECONDS, SHORT_SECONDS } from '../../src/telemetry/histogram.ts';
import { CappedTable } from '../../src/telemetry/series.ts';
import { parsePrometheus, samplesOf, valueOf } from '../support/prometheus.ts';

describe('histogram', () => {
  test.each([
    [0, 0],
    [1, 0],
    [1.0001, 1],
    [2, 1],
    [4, 2],
    [4.5, 3],
    [Number.POSITIVE_INFINITY, 3],
    [-1, 0],
    [Number.NaN, 0],
  ])('%p falls into place %p', (value, place) => {
    const histogram = new Histogram([1, 2, 4]);
    histogram.observe(value);
    expect([...histogram.counts]).toEqual([0, 1, 2, 3].map((at) => (at === place ? 1 : 0)));
    expect(histogram.count).toBe(1);
  });

  test.each([[SHORT_SECONDS], [LONG_SECONDS], [BATCH_ROWS]])('bounds rise: %p', (bounds: readonly number[]) => {
    expect(bounds.every((bound, index) => index === 0 || bound > bounds[index - 1]!)).toBe(true);
  });
});

describe('text', () => {
  test('is what a strict reader takes, whatever stands in labels and help', () => {
    const nasty = 'a "quoted" back\\slash\nand a second line {x="1"} 5';
    const out = new Exposition();
    out.counter('some_total', `help of two\nlines and a \\`, [[{ nasty, plain: 'x' }, 3]]);
    out.gauge('other', 'h', '0.000000001');
    const families = parsePrometheus(out.text());
    expect(samplesOf(families, 'some_total')).toEqual([{ name: 'some_total', labels: { nasty, plain: 'x' }, value: 3, text: '3' }]);
    expect(families.get('some_total')!.help).toBe('help of two\\nlines and a \\\\');
    expect(valueOf(families, 'other')).toBe(1e-9);
  });

  test('a histogram has rising buckets, its sum and its count', () => {
    const histogram = new Histogram([0.5, 1]);
    for (const value of [0.25, 0.75, 0.75, 3]) histogram.observe(value);
    const out = new Exposition();
    out.histogram('some_seconds', 'h', [[{ kind: 'a' }, histogram]]);
    const families = parsePrometheus(out.text());
    expect(samplesOf(families, 'some_seconds_bucket').map(({ labels, value }) => [labels['le'], value])).toEqual([
      ['0.5', 1],
      ['1', 3],
      ['+Inf', 4],
    ]);
    expect(valueOf(families, 'some_seconds_sum', { kind: 'a' })).toBe(4.75);
    expect(valueOf(families, 'some_seconds_count', { kind: 'a' })).toBe(4);
  });

  test.each([
    ['a counter without its ending', '# HELP a h\n# TYPE a counter\na 1\n'],
    ['a gauge with it', '# HELP a_total h\n# TYPE a_total gauge\na_total 1\n'],
    ['no help', '# TYPE a gauge\na 1\n'],
    ['a series twice', '# HELP a h\n# TYPE a gauge\na{x="1"} 1\na{x="1"} 2\n'],
    ['a quote that is not escaped', '# HELP a h\n# TYPE a gauge\na{x="1"2"} 1\n'],
    ['no number', '# HELP a h\n# TYPE a gauge\na one\n'],
    ['no last bucket', '# HELP a h\n# TYPE a histogram\na_bucket{le="1"} 1\na_sum 1\na_count 1\n'],
    ['no end', '# HELP a h\n# TYPE a gauge\na 1'],
  ])('the reader of these tests refuses %s', (_, text) => {
    expect(() => parsePrometheus(text)).toThrow();
  });
});

test('a table that is full sends new keys to one shared value', () => {
  const table = new CappedTable<string, { count: number }>(2, () => ({ count: 0 }));
  for (const key of ['a', 'b', 'c', 'a', 'd']) table.of(key, (text) => text).count++;
  table.of('gone', () => null).count++;
  expect([...table.entries()].map(([label, { count }]) => [label, count])).toEqual([
    ['a', 2],
    ['b', 1],
    ['other', 3],
  ]);
});
