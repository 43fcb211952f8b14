import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { fullDisk, type FullDiskReport } from '../support/full-disk.ts';
import { percentile } from '../support/percentile.ts';
import { SmallDisk } from '../support/small-disk.ts';

/** What cannot be recorded is not forwarded (I1), and says so at once (I9). */
const disk = SmallDisk.mount(16);
const skipped = typeof disk === 'string' ? ` (skipped: ${disk})` : '';

// The name of the group says why it is left out.
const onSmallDisk = describe.skipIf(skipped !== ''); // because mounting takes rights that not everybody has
onSmallDisk(`a full disk${skipped}`, () => {
  let report: FullDiskReport;

  beforeAll(async () => {
    report = await fullDisk(disk as SmallDisk);
  }, 60_000);
  afterAll(() => {
    (disk as SmallDisk).unmount();
  });

  test('refuses, forwards nothing that it refused, loses nothing, settles everything', () => {
    expect(report.findings).toEqual([]);
    expect(report.refused.length).toBeGreaterThan(20);
    expect(new Set(report.refused.map(({ status }) => status))).toEqual(new Set([503]));
  });

  test('forwards nothing at all while it is full', () => {
    expect(report.answeredWhileFull).toBe(0);
  });

  test('refuses soon, and /healthz answers', () => {
    const tookMs = report.refused.map((one) => one.tookMs);
    // The slowest of each is measured by `make torture`: here other tests run at the same time.
    expect(percentile(tookMs, 0.5)).toBeLessThan(250);
    expect(percentile(report.healthzMs, 0.5)).toBeLessThan(100);
  });

  test('heals by itself when there is room', () => {
    expect(report.healedMs).toBeLessThan(5_000);
  });
});
