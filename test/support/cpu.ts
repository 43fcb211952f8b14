import { readFileSync } from 'node:fs';

/** Clock ticks a second of `/proc/PID/stat`: 100 on every Linux of today, whatever the kernel's own tick is. */
const CLOCK_TICKS_PER_SECOND = 100;

/** CPU that a process and its threads have used so far, user and system, in microseconds. In steps of a clock tick. Linux only. */
export function cpuMicroseconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / CLOCK_TICKS_PER_SECOND;
}
