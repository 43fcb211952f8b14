import { describe, expect, test } from 'bun:test';
import { runCli } from '../../src/cli/run.ts';
import { block, COMMANDS, INLINE, README, settings } from '../support/readme.ts';

/** Who has only `panicly --help` must find everything that the README does: no step may need the API document. */

const unused = () => Promise.reject(new Error('not tested here'));
const handlers = { serve: unused, examine: unused, init: unused, restore: unused, verify: unused };

async function help(...path: readonly string[]): Promise<string> {
  let text = '';
  const io = { out: (more: string) => void (text += more), err: () => undefined, stdin: async () => '', isInteractive: false, ask: unused };
  expect(await runCli([...path, '--help'], handlers, { io })).toBe(0);
  return text;
}

/** The words of each call of the program in a line of a shell. */
function callsIn(line: string): string[][] {
  const calls = line.split(/[|;()]/).filter((part) => /\bpanicly /.test(part));
  return calls.map((part) =>
    part
      .replace(/^.*?\bpanicly (?=[a-z])(?!panicly)/, '')
      .replace(/[<>].*/, '')
      .trim()
      .split(/\s+/),
  );
}

/** Whether a help text lists a command, at the beginning of a line. */
const lists = (text: string, word: string) => new RegExp(`^  (?:\\w+\\|)?${word}\\b`, 'm').test(text.slice(text.indexOf('\nCommands:')));

const LINES = [...new Set([...COMMANDS, ...INLINE].map(({ line }) => line))];

test('the README has commands', () => {
  expect(LINES.length).toBeGreaterThan(50);
  expect(callsIn('git diff | panicly keys scan -')).toEqual([['keys', 'scan', '-']]);
  expect(callsIn('sudo -u panicly panicly init --data x')).toEqual([['init', '--data', 'x']]);
});

test.each(LINES)('from panicly --help to: %s', async (line) => {
  for (const words of callsIn(line)) {
    const path: string[] = [];
    let text = await help();
    for (const word of words.filter((one) => /^[a-z][a-z-]*$/.test(one))) {
      if (!text.includes('\nCommands:') || (path.length > 0 && !lists(text, word))) break;
      expect({ path, lists: lists(text, word) ? word : 'not' }).toEqual({ path, lists: word });
      path.push(word);
      text = await help(...path);
    }
    expect(text).toContain('Examples:');
    for (const flag of words.filter((word) => /^--?[a-z]/.test(word))) expect(text).toMatch(new RegExp(`^  .*${flag}\\b`, 'm'));
  }
});

describe('what is no command', () => {
  test('serve names every setting', async () => {
    const text = await help('serve');
    for (const { flag, variable, field } of settings()) {
      expect(text).toContain(flag);
      expect(text).toContain(variable);
      const [table, name = ''] = field.split('.');
      if (field !== '') expect(text).toMatch(new RegExp(`^  \\[${table}\\] .*\\b${name}\\b`, 'm'));
    }
  });

  test('serve names the variables that become providers', async () => {
    const names = [...new Set(README.match(/\b[A-Z]+_API_KEY\b/g))].filter((name) => name !== 'GROQ_API_KEY');
    expect(names).toHaveLength(3);
    const text = await help('serve');
    for (const name of names) expect(text).toContain(name);
  });

  test('keys create names the models that rehearse failures', async () => {
    const models = [...new Set(README.match(/\bsim-[\w-]+/g))];
    expect(models).toHaveLength(9);
    const text = await help('keys', 'create');
    for (const model of models) expect(text).toContain(model);
  });

  test('policy set shows the fields of the example', async () => {
    const fields = block('Limits and rules', 'toml').match(/^(?:\[+\w+\]+|\w+(?= =))/gm)!;
    expect(fields.length).toBeGreaterThan(8);
    const text = await help('policy', 'set');
    for (const field of fields) expect(text).toContain(field);
  });

  test.each([
    ['alerts create', 'panicly-signature'],
    ['alerts create', 'panicly-event-id'],
    ['providers add', 'allow_http'],
    ['restore', 'panicly ledger confirm-restore'],
    ['master-key rotate', 'PANICLY_MASTER_KEY_NEW'],
    ['ledger head', 'ledger verify --anchor'],
    ['apply', 'panicly export'],
  ])('%s tells of %s', async (path, word) => {
    expect(README).toContain(word.replace('panicly ', ''));
    expect(await help(...path.split(' '))).toContain(word);
  });
});
