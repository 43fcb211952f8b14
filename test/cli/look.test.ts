import { describe, expect, test } from 'bun:test';
import { inLook, sinceOrUntil, terminalLook } from '../../src/cli/look.ts';
import { facts, table, type Io } from '../../src/cli/output.ts';
import { progress, withProgress } from '../../src/cli/progress.ts';

const NOW = Date.parse('2026-11-22T15:00:00.000Z');
const clock = { nowMs: () => NOW, monotonicMs: () => 0 };

test.each([
  [0, 'now'],
  [-999, 'now'],
  [-1_000, '1 s ago'],
  [-59_999, '59 s ago'],
  [-3 * 60_000, '3 min ago'],
  [-25 * 3_600_000, '1 d ago'],
  [5 * 3_600_000, 'in 5 h'],
  [90 * 86_400_000, 'in 90 d'],
])('%d ms from now is %s', (distanceMs, words) => {
  expect(sinceOrUntil(NOW + distanceMs, NOW)).toBe(words);
});

describe('a table', () => {
  const at = '2026-11-22T14:57:00.000Z';
  const make = () => table(['TIME', 'STATE', 'NOTE'], [[at, 'fail', `since ${at}`]]);

  test('is exact and plain outside of a terminal', () => {
    expect(make()).toBe(`TIME                      STATE  NOTE\n${at}  fail   since ${at}\n`);
  });

  test('speaks of moments at a terminal, and says no more in colour than in words', () => {
    const plain = inLook(terminalLook(clock, false), make);
    expect(plain).toBe(`TIME       STATE  NOTE\n3 min ago  fail   since ${at}\n`);
    const coloured = inLook(terminalLook(clock, true), make);
    expect(coloured).toContain('\u001b[31mfail\u001b[39m');
    expect(Bun.stripANSI(coloured)).toBe(plain);
  });

  test('what a client chose cannot paint', () => {
    expect(inLook(terminalLook(clock, true), () => facts([['model', '\u001b[31mfail']]))).not.toContain('\u001b[31m');
  });
});

function terminal(isErrTerminal: boolean) {
  const said = { err: '', nowMs: 0 };
  const io: Io = {
    out: () => undefined,
    err: (text) => void (said.err += text),
    stdin: async () => '',
    isInteractive: false,
    ask: async () => '',
    isErrTerminal,
    nowMs: () => said.nowMs,
  };
  return { said, io };
}

describe('progress', () => {
  test('is silent where nobody looks', async () => {
    const { said, io } = terminal(false);
    expect(await withProgress(io, 'copying', async (at) => (at(1, 2), at(2, 2), 'done'))).toBe('done');
    expect(said.err).toBe('');
  });

  test('draws at most ten times a second, the end always, and takes its line away', () => {
    const { said, io } = terminal(true);
    const bar = progress(io, 'copying');
    for (let done = 0; done <= 1_000; done++) {
      said.nowMs = done / 10;
      bar.at(done, 1_000);
    }
    expect(said.err.split('\r').filter((line) => line.startsWith('copying'))).toEqual([
      `copying  [${'.'.repeat(24)}] 0 %`,
      `copying  [${'#'.repeat(24)}] 100 %`,
    ]);
    bar.end();
    bar.end();
    expect(said.err.endsWith(`\r${' '.repeat(41)}\r`)).toBe(true);
  });

  test('goes away when the work fails', async () => {
    const { said, io } = terminal(true);
    const work = withProgress(io, 'copying', async (at) => {
      at(7, null);
      throw new Error('broken');
    });
    expect(await work.catch((error: Error) => error.message)).toBe('broken');
    expect(said.err).toBe('\rcopying  7\r          \r');
  });
});
