import { AsyncLocalStorage } from 'node:async_hooks';
import { styleText } from 'node:util';
import type { Clock } from '../clock.ts';

/** How cells and headers of a table are shown. Gets text that is safe to print. */
export interface Look {
  readonly cell: (text: string) => string;
  readonly header: (text: string) => string;
}

/** Exactly as it is: for programs, files and pipes. */
export const PLAIN: Look = { cell: (text) => text, header: (text) => text };

const looks = new AsyncLocalStorage<Look>();

/** Runs a command whose tables have this look: no command has to pass it on, and none can forget to. */
export function inLook<Result>(look: Look, work: () => Result): Result {
  return looks.run(look, work);
}

/** The look of the command that runs. */
export function lookNow(): Look {
  return looks.getStore() ?? PLAIN;
}

/** Words that say at one look how it stands. Only whole cells are coloured. */
const COLOURS: Readonly<Record<string, 'green' | 'yellow' | 'red'>> = {
  ok: 'green',
  yes: 'green',
  allow: 'green',
  warn: 'yellow',
  estimated: 'yellow',
  unknown: 'yellow',
  fail: 'red',
  failed: 'red',
  'not ok': 'red',
  ON: 'red',
  'ON (project)': 'red',
  'ON (workspace)': 'red',
};

const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{3})?Z$/;

/** For a person at a terminal: moments as they are spoken of, and colours where the terminal has them and nobody said no. */
export function terminalLook(clock: Clock, hasColours: boolean): Look {
  const paint = (style: 'dim' | 'green' | 'yellow' | 'red', text: string) =>
    hasColours ? styleText(style, text, { validateStream: false }) : text;
  const cell = (text: string) => (MOMENT.test(text) ? sinceOrUntil(Date.parse(text), clock.nowMs()) : text);
  return {
    cell(text) {
      const colour = Object.hasOwn(COLOURS, text)
        ? COLOURS[text]
        : text.startsWith('deny ') || text.endsWith(' OVERRUN')
          ? 'red'
          : undefined;
      return colour === undefined ? cell(text) : paint(colour, text);
    },
    header: (text) => paint('dim', text),
  };
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const UNITS = [
  ['d', DAY_MS],
  ['h', HOUR_MS],
  ['min', MINUTE_MS],
  ['s', 1_000],
] as const;

/** `3 min ago`, `in 5 h`, `now`. Rounded down, so that nothing seems to be over before it is. */
export function sinceOrUntil(atMs: number, nowMs: number): string {
  const distanceMs = Math.abs(nowMs - atMs);
  const unit = UNITS.find(([, ms]) => distanceMs >= ms);
  if (unit === undefined) return 'now';
  const count = `${Math.floor(distanceMs / unit[1])} ${unit[0]}`;
  return atMs <= nowMs ? `${count} ago` : `in ${count}`;
}
