import { describe, expect, test } from 'bun:test';
import { printed, summary, type TimedLine } from './table.ts';

const WELL: TimedLine = { name: 'slow', seconds: 30, attack: 'slow clients', goal: 'all closed', reached: '0 left', findings: [] };
const AGAIN: TimedLine = { ...WELL, name: 'kill', firstTry: ['a start took 1,200 ms'] };
const FAILED: TimedLine = { ...WELL, name: 'disk', findings: ['a refusal took 300 ms'] };

describe('a line of the table', () => {
  const cases: readonly [string, TimedLine, string][] = [
    ['that went well', WELL, 'ok        slow (30 s): slow clients\n          goal: all closed\n          0 left'],
    [
      'that went well on a second try',
      AGAIN,
      'ok        kill (30 s): slow clients\n          goal: all closed\n          SECOND TRY: the first one found a start took 1,200 ms\n          0 left',
    ],
    [
      'that failed',
      FAILED,
      'FAILED    disk (30 s): slow clients\n          goal: all closed\n          0 left\n          a refusal took 300 ms',
    ],
  ];
  test.each(cases)('%s', (_name, line, text) => expect(printed(line)).toBe(text));
});

describe('the closing lines', () => {
  test('name what was tried twice', () => {
    expect(summary([WELL, AGAIN, FAILED], 'quick')).toBe('3 attacks in 1.5 minutes (quick), 1 failed; tried twice: kill\n 2 pass\n 1 fail');
  });

  test('say nothing of a second try when there was none', () => {
    expect(summary([WELL], 'full')).toBe('1 attacks in 0.5 minutes (full), 0 failed\n 1 pass\n 0 fail');
  });
});
