import { describe, expect, test } from 'bun:test';
import type { Candidate } from '../../src/domain/candidate.ts';
import { LedgerState } from '../../src/ledger/state.ts';
import { decide } from '../../src/policy/decide.ts';
import { ModelPatterns } from '../../src/policy/patterns.ts';
import { candidateOf, compiled, NOTHING } from '../support/policies.ts';

/** What a catalogue could resolve: case, a vendor in front, a date behind. Everything else is unknown to it. */
const KNOWN = ['o1-pro', 'gpt-4.1', 'gpt-4.1-mini', 'openai/o1-pro', 'openai/gpt-4.1'];

function resolve(spelling: string): Candidate {
  const folded = spelling.toLowerCase();
  const known = KNOWN.find((name) => name === folded || folded.replace(/-\d{4}-\d{2}-\d{2}$/, '') === name);
  return candidateOf({
    requestedModel: spelling,
    model: known ?? spelling,
    models: [known ?? spelling],
    modelKnown: known !== undefined,
    quote: { priced: known !== undefined },
  });
}

const BLANKS = [
  '\u00a0',
  '\u200b',
  '\u200d',
  '\u2060',
  '\ufeff',
  '\u00ad',
  '\u3000',
  '\u202e',
  ' ',
  '\t',
  '\n',
  '\u0000',
  '\u2003',
  '\u2009',
  '\u180e',
  '\u061c',
  '\u200e',
  '\u200f',
  '\u2066',
  '\u202f',
  '\r',
  '\u0085',
  '\u2028',
];
const DASHES = ['\u2010', '\u2011', '\u2012', '\u2013', '\u2212', '\uff0d', '\ufe63', '_', '--', ' ', ''];
const LETTERS: Record<string, readonly string[]> = {
  o: ['\u043e', '\u03bf', '\uff4f', '\u1d0f', '0', 'O', 'ö', '\u{1d428}'],
  p: ['\u0440', '\u03c1', '\uff50', 'P', '\u{1d429}'],
  r: ['\u0433', '\uff52', 'R', '\u{1d42b}'],
  g: ['\u0261', '\uff47', 'G', '\u0581'],
  t: ['\u0442', '\uff54', 'T', '\u03c4'],
  1: ['l', 'I', 'i', '\uff11', '\u00b9', '\u2460', '\u0661', '\u{1d7cf}'],
  4: ['\uff14', '\u2074', '\u0664', '\u{1d7d2}'],
  '.': ['\uff0e', '\u2024', '\u3002', '\u00b7', '..', ''],
};

const SUFFIXES = [
  '',
  ':free',
  ':online',
  ':nitro',
  '@latest',
  '@2025-04-14',
  '-2025-03-19',
  '-20250319',
  '-latest',
  '-LATEST',
  '\u0301',
  '/',
  '%20',
  '?x=1',
  '#',
];

/** Spellings of one name that somebody may hope to slip through. */
function spellingsOf(name: string): string[] {
  const spellings = new Set<string>([name, name.toUpperCase(), name[0]!.toUpperCase() + name.slice(1)]);
  for (const blank of BLANKS) {
    for (let at = 0; at <= name.length; at++) spellings.add(name.slice(0, at) + blank + name.slice(at));
  }
  for (let at = 0; at < name.length; at++) {
    const others = name[at] === '-' ? DASHES : (LETTERS[name[at]!] ?? []);
    for (const other of others) {
      const spelling = name.slice(0, at) + other + name.slice(at + 1);
      for (const form of [spelling, `openai/${spelling}`, `${spelling}:free`, `${spelling}-2025-04-14`]) spellings.add(form);
    }
  }
  for (const prefix of [
    '',
    'openai/',
    'OpenAI/',
    'azure/',
    'models/',
    'openrouter/openai/',
    '/',
    './',
    '~',
    'x/y/z/',
    'openai//',
    'openai/./',
  ])
    for (const suffix of SUFFIXES) for (const form of [name, name.toUpperCase()]) spellings.add(prefix + form + suffix);
  const wide = name
    .split('')
    .map((character) => String.fromCodePoint(character.codePointAt(0)! + 0xfee0))
    .join('');
  spellings.add(wide);
  return [...spellings];
}

const NOW_MS = Date.UTC(2026, 10, 22);

describe.each(['o1-pro', 'gpt-4.1'])('spellings of %s', (name) => {
  const spellings = spellingsOf(name);
  const through = (document: object, allowedFor: (candidate: Candidate) => boolean): string[] => {
    const policy = compiled({ ...NOTHING, ...document });
    return spellings.filter(
      (spelling) => decide(policy, new LedgerState(), resolve(spelling), NOW_MS).allow && !allowedFor(resolve(spelling)),
    );
  };

  test('none slips through a block list, with and without a pattern', () => {
    expect(spellings.length).toBeGreaterThan(500);
    expect(through({ models: { block: [name] } }, () => false)).toEqual([]);
    expect(through({ models: { block: [`${name}*`] } }, () => false)).toEqual([]);
    expect(through({ models: { block: [`openai/${name}`, name] } }, () => false)).toEqual([]);
  });

  test('an allow list of another model lets none through', () => {
    expect(through({ models: { allow: ['gpt-4.1-mini', 'text-*'] } }, () => false)).toEqual([]);
  });

  test('an allow list of this model lets through only what the catalogue knows', () => {
    expect(through({ models: { allow: [`${name}*`] } }, ({ modelKnown }) => modelKnown)).toEqual([]);
    expect(decide(compiled({ ...NOTHING, models: { allow: [name] } }), new LedgerState(), resolve(name.toUpperCase()), NOW_MS).allow).toBe(
      true,
    );
  });

  test('where money is limited only what is known passes', () => {
    const budgets = [{ scope: 'project', period: 'day', limit_usd: '100' }];
    expect(through({ budgets }, ({ modelKnown }) => modelKnown)).toEqual([]);
  });

  test('a block list stops nobody else', () => {
    const policy = compiled({ ...NOTHING, models: { block: [name] } });
    for (const other of [
      'gpt-4o',
      'o3',
      'claude-sonnet-4-5',
      'meta-llama/llama-3.1-8b-instruct',
      'my-own_model:latest',
      '@cf/meta/llama-3',
    ])
      expect(decide(policy, new LedgerState(), candidateOf({ model: other, modelKnown: false }), NOW_MS).allow).toBe(true);
  });
});

describe('patterns', () => {
  const rows: [pattern: string, name: string, fits: boolean][] = [
    ['gpt-4.1*', 'gpt-4.1', true],
    ['gpt-4.1*', 'GPT-4.1-mini', true],
    ['gpt-4.1*', 'openai/gpt-4.1-mini', true],
    ['gpt-4.1*', 'gpt-4', false],
    ['gpt-4.1', 'gpt-411', false],
    ['openai/*', 'openai/o3', true],
    ['openai/*', 'o3', false],
    ['*-mini', 'o3-mini', true],
    ['*-mini', 'o3-mini-high', false],
    ['*o3*', 'xo3y', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-c', false],
    ['ab*ba', 'aba', false],
    ['a**c', 'ac', true],
    ['*', 'anything', true],
    ['O3', 'o3', true],
  ];
  test.each(rows)('%s and %s: %p', (pattern, name, fits) => {
    expect(new ModelPatterns([pattern]).match(name) !== null).toBe(fits);
  });

  test('a pattern of many stars takes no exponential time', () => {
    const patterns = new ModelPatterns([`${'*a'.repeat(90)}*b`]);
    expect(patterns.match('a'.repeat(5_000))).toBeNull();
  });
});
