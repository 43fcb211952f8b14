import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'bun:test';
import { Exposition } from '../../src/telemetry/exposition.ts';
import { LedgerMetrics } from '../../src/telemetry/ledger-metrics.ts';
import { allowed, always, candidate, openSeeded, temporaryDirectory } from '../ledger/harness.ts';
import { parsePrometheus, valueOf } from '../support/prometheus.ts';

const writerUrl = new URL('../ledger/workers/faulty-writer.ts', import.meta.url).href;

function read(metrics: LedgerMetrics, name: string): number {
  const out = new Exposition();
  metrics.writeTo(out);
  return valueOf(parsePrometheus(out.text()), name);
}

test('commits are counted with their rows, and so is a writer that dies over one', async () => {
  using directory = temporaryDirectory();
  const metrics = new LedgerMetrics();
  const well = Promise.withResolvers<void>();
  const onHealth = (available: boolean) => void (available && well.resolve());
  const events = { ...metrics.events, onRefusedRow: () => {}, onHealth };
  const opened = await openSeeded(directory.path, { writerUrl, events });
  const before = [read(metrics, 'panicly_ledger_commit_seconds_count'), read(metrics, 'panicly_ledger_batch_rows_sum')] as const;
  const admit = () => opened.ledger.admit(candidate(), 1, always(allowed()));
  await Promise.all([admit(), admit(), admit()]);
  expect(opened.ledger.queueLength).toBe(0);
  expect(read(metrics, 'panicly_ledger_commit_seconds_count')).toBe(before[0] + 1);
  expect(read(metrics, 'panicly_ledger_batch_rows_sum')).toBe(before[1] + 3);
  expect(read(metrics, 'panicly_ledger_failed_commits_total')).toBe(0);
  writeFileSync(join(directory.path, 'fault'), 'die');
  expect(await admit().catch((error: unknown) => error)).toBeInstanceOf(Error);
  await well.promise;
  expect(read(metrics, 'panicly_ledger_writer_deaths_total')).toBe(1);
  expect(read(metrics, 'panicly_ledger_failed_commits_total')).toBe(1);
  await opened.close();
});
