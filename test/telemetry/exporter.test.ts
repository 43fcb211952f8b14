import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { SpanExporter } from '../../src/telemetry/exporter.ts';
import { Exposition } from '../../src/telemetry/exposition.ts';
import { traceOf } from '../../src/telemetry/follower.ts';
import { exportBody, type Span } from '../../src/telemetry/otlp.ts';
import { httpUpstream } from '../../src/upstream/http.ts';
import { Collector } from '../support/collector.ts';
import { parsePrometheus, valueOf } from '../support/prometheus.ts';

const span: Span = {
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  parentId: null,
  tracestate: null,
  name: 'admit',
  kind: 1,
  startMs: 1_767_225_600_000.25,
  endMs: 1_767_225_600_001,
  attributes: { text: 'x', whole: 3, part: 0.5, yes: true, none: null },
  failed: true,
};

let collector: Collector;
let troubles: (string | null)[];

beforeEach(() => {
  collector = new Collector();
  troubles = [];
});
afterEach(() => collector.close());

function exporter(url = `${collector.url}/v1/traces`): SpanExporter {
  const onTrouble = (why: string | null) => void troubles.push(why);
  return new SpanExporter({ url, headers: {}, serviceName: 's', version: '1', http: httpUpstream(), onTrouble, batchEveryMs: 5 });
}

function count(one: SpanExporter, name: string): number {
  const out = new Exposition();
  one.writeTo(out);
  return valueOf(parsePrometheus(out.text()), name);
}

test('the form of a span', () => {
  const body = JSON.parse(exportBody([span], { serviceName: 's', version: '1' })) as object;
  expect(body).toEqual({
    resourceSpans: [
      {
        resource: {
          attributes: [
            { key: 'service.name', value: { stringValue: 's' } },
            { key: 'service.version', value: { stringValue: '1' } },
          ],
        },
        scopeSpans: [
          {
            scope: { name: 'panicly', version: '1' },
            spans: [
              {
                traceId: 'a'.repeat(32),
                spanId: 'b'.repeat(16),
                name: 'admit',
                kind: 1,
                startTimeUnixNano: '1767225600000250000',
                endTimeUnixNano: '1767225600001000000',
                attributes: [
                  { key: 'text', value: { stringValue: 'x' } },
                  { key: 'whole', value: { intValue: '3' } },
                  { key: 'part', value: { doubleValue: 0.5 } },
                  { key: 'yes', value: { boolValue: true } },
                ],
                status: { code: 2 },
              },
            ],
          },
        ],
      },
    ],
  });
});

describe('the exporter', () => {
  test('sends what waits in one request, and the rest when it is stopped', async () => {
    const one = exporter();
    one.add([span, span]);
    one.add([span]);
    await collector.arrived(3);
    expect(collector.requests.length).toBe(1);
    one.add([span]);
    await one.stop(5_000);
    expect(collector.spans.length).toBe(4);
    expect(count(one, 'panicly_trace_spans_exported_total')).toBe(4);
  });

  test('what is too much is dropped and counted', async () => {
    const one = exporter();
    one.add(Array.from({ length: 10_000 }, () => span));
    await one.stop(5_000);
    expect(collector.requests.length).toBe(8);
    expect(count(one, 'panicly_trace_spans_exported_total')).toBe(4_096);
    expect(count(one, 'panicly_trace_spans_dropped_total')).toBe(10_000 - 4_096);
  });

  test.each([400, 401, 413, 500])('a collector that answers %d is not asked again', async (status) => {
    collector.status = status;
    const one = exporter();
    one.add([span]);
    await collector.asked(1);
    await one.stop(5_000);
    expect(collector.requests.length).toBe(1);
    expect(count(one, 'panicly_trace_spans_dropped_total')).toBe(1);
    expect(troubles).toEqual([String(status)]);
  });

  test('one that is busy is asked again after a pause, and trouble is told once', async () => {
    collector.status = 503;
    const one = exporter();
    one.add([span]);
    await collector.asked(1);
    collector.status = 200;
    await collector.arrived(1);
    await one.stop(5_000);
    expect(collector.requests.length).toBe(2);
    expect(troubles).toEqual(['503', null]);
    expect(count(one, 'panicly_trace_exports_failed_total')).toBe(1);
  }, 10_000);

  test('one that is not there holds nothing up', async () => {
    await collector.close();
    const one = exporter();
    one.add([span]);
    await one.stop(5_000);
    expect(count(one, 'panicly_trace_spans_dropped_total')).toBe(1);
    expect(troubles).toEqual(['ECONNREFUSED']);
  });

  test('one that never answers is left at the end', async () => {
    const silent = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } });
    const one = exporter(`http://127.0.0.1:${silent.port}/v1/traces`);
    one.add([span]);
    await one.stop(50);
    silent.stop(true);
    expect(count(one, 'panicly_trace_spans_exported_total')).toBe(0);
  });
});

describe('which requests are traced', () => {
  const parent = (flags: string) => new Headers({ traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-${flags}` });
  test.each([
    ['no parent, none', new Headers(), 0, false],
    ['no parent, all', new Headers(), 1, true],
    ['a parent that records, none', parent('01'), 0, true],
    ['a parent that does not, all', parent('00'), 1, false],
  ])('%s', (_, headers, sample, traced) => {
    expect(traceOf(headers, sample) !== null).toBe(traced);
  });

  test('a share of the rest', () => {
    const traced = Array.from({ length: 2_000 }, () => traceOf(new Headers(), 0.25)).filter((trace) => trace !== null);
    expect(traced.length).toBeGreaterThan(350);
    expect(traced.length).toBeLessThan(650);
    expect(new Set(traced.map(({ traceId }) => traceId)).size).toBe(traced.length);
  });
});
