import { describe, expect, test } from 'bun:test';
import { formatTraceParent, isTraceState, parseTraceParent, traceHeadersOf } from '../../src/domain/trace-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

describe('traceparent', () => {
  test.each([
    [`00-${TRACE}-${SPAN}-01`, true],
    [`00-${TRACE}-${SPAN}-00`, false],
    // Flags that are not known yet say nothing of the first one.
    [`00-${TRACE}-${SPAN}-ff`, true],
    [`00-${TRACE}-${SPAN}-02`, false],
    // A later version may say more.
    [`cc-${TRACE}-${SPAN}-01`, true],
    [`cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`, true],
  ])('%s is valid', (text, sampled) => {
    expect(parseTraceParent(text)).toEqual({ traceId: TRACE, spanId: SPAN, sampled });
  });

  test.each([
    ['nothing', null],
    ['empty', ''],
    ['a version that is forbidden', `ff-${TRACE}-${SPAN}-01`],
    ['capitals', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['no trace', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['no span', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['a short trace', `00-${TRACE.slice(1)}-${SPAN}-01`],
    ['a long trace', `00-${TRACE}0-${SPAN}-01`],
    ['a short span', `00-${TRACE}-${SPAN.slice(1)}-01`],
    ['no flags', `00-${TRACE}-${SPAN}`],
    ['flags of one digit', `00-${TRACE}-${SPAN}-1`],
    ['version 00 with more', `00-${TRACE}-${SPAN}-01-more`],
    ['a later version that goes on without a dash', `cc-${TRACE}-${SPAN}-01.more`],
    ['other digits', `00-${TRACE.replace('a', 'g')}-${SPAN}-01`],
    ['space around', ` 00-${TRACE}-${SPAN}-01`],
    ['two of them', `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
    ['a version of one digit', `0-${TRACE}-${SPAN}-01`],
    ['very long', `cc-${TRACE}-${SPAN}-01-${'x'.repeat(300)}`],
  ])('%s is not', (_, text) => {
    expect(parseTraceParent(text)).toBeNull();
  });

  test('is written as it was read', () => {
    for (const flags of ['00', '01']) {
      const text = `00-${TRACE}-${SPAN}-${flags}`;
      expect(formatTraceParent(parseTraceParent(text)!)).toBe(text);
    }
  });
});

describe('tracestate', () => {
  test.each([
    ['congo=t61rcWkgMzE', true],
    ['rojo=00f067aa0ba902b7,congo=t61rcWkgMzE', true],
    ['rojo=1, tenant@vendor=2', true],
    ['a=1,,b=2', true],
    [Array.from({ length: 32 }, (_, index) => `k${index}=v`).join(','), true],
    ['', false],
    ['no equals sign', false],
    ['Key=1', false],
    ['a=b=c', false],
    ['a=b\u007f', false],
    [Array.from({ length: 33 }, (_, index) => `k${index}=v`).join(','), false],
    [`a=${'x'.repeat(600)}`, false],
  ])('%s: %p', (text, valid) => {
    expect(isTraceState(text)).toBe(valid);
  });
});

describe('passed on', () => {
  const parent = `00-${TRACE}-${SPAN}-01`;
  test.each([
    [{}, null],
    [{ traceparent: 'junk' }, null],
    [{ tracestate: 'a=1' }, null],
    [{ traceparent: 'junk', tracestate: 'a=1' }, null],
    [{ traceparent: parent }, { traceparent: parent, tracestate: null }],
    [
      { traceparent: parent, tracestate: 'a=1' },
      { traceparent: parent, tracestate: 'a=1' },
    ],
    [
      { traceparent: parent, tracestate: 'Not Valid' },
      { traceparent: parent, tracestate: null },
    ],
  ])('%j', (headers, expected) => {
    expect(traceHeadersOf(new Headers(headers as Record<string, string>))).toEqual(expected);
  });
});
