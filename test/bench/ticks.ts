/** Clock ticks a second of `/proc/PID/stat`: 100 on every Linux of today, whatever the kernel's own tick is. */
export const CLOCK_TICKS_PER_SECOND = 100;
