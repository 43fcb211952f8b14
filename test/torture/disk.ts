import { fullDisk } from '../support/full-disk.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { FORWARDS_EARLY } from './kit/forwards-early.ts';
import { sized, type Row } from './row.ts';
import type { Line } from './table.ts';

/** The disk is full. */
export const disk: Row = {
  name: 'disk',
  limitMinutes: { full: 5, quick: 2, bite: 1 },
  bites: [FORWARDS_EARLY],
  run: (size) => tortureByFullDisk(sized(size, { full: 5, quick: 1, bite: 1 })),
};

const REFUSED_MS = 250;
const HEALTHZ_MS = 100;

/** Fills the disk under the server, `times` over. */
async function tortureByFullDisk(times: number): Promise<Line> {
  const line = {
    attack: `a full disk under load, ${times} times`,
    goal: '503 within 250 ms, nothing forwarded, /healthz within 100 ms, heals by itself',
  };
  const findings: string[] = [];
  const slowest = { refusalMs: 0, healthzMs: 0, healedMs: 0 };
  let refusals = 0;
  for (let time = 0; time < times; time++) {
    const disk = SmallDisk.mount(16);
    if (typeof disk === 'string') return { ...line, reached: '', findings: [], skipped: disk };
    try {
      const report = await fullDisk(disk);
      refusals += report.refused.length;
      slowest.refusalMs = Math.max(slowest.refusalMs, ...report.refused.map(({ tookMs }) => tookMs));
      slowest.healthzMs = Math.max(slowest.healthzMs, ...report.healthzMs);
      slowest.healedMs = Math.max(slowest.healedMs, report.healedMs);
      findings.push(...report.findings);
      if (report.answeredWhileFull > 0) findings.push(`${report.answeredWhileFull} requests were forwarded while the disk was full`);
    } finally {
      disk.unmount();
    }
  }
  if (slowest.refusalMs > REFUSED_MS) findings.push(`a refusal took ${Math.round(slowest.refusalMs)} ms`);
  if (slowest.healthzMs > HEALTHZ_MS) findings.push(`/healthz took ${Math.round(slowest.healthzMs)} ms`);
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  const reached = `${refusals} refusals, the slowest ${ms(slowest.refusalMs)}; /healthz at most ${ms(slowest.healthzMs)}; served again after at most ${ms(slowest.healedMs)}`;
  return { ...line, reached, findings };
}
