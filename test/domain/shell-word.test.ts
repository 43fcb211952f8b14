import { expect, test } from 'bun:test';
import { shellWord } from '../../src/domain/shell-word.ts';

const NAMES = [
  'web',
  'gpt-4.1:free@2026/05',
  '',
  'two words',
  "it's; echo $HOME `id` $(id)",
  '*',
  '~',
  '"',
  '\\',
  'a\nb',
  "'",
  '#x',
  '!!',
  'ünï',
  '-n',
] as const;

test.each(NAMES)('%j is one word of a shell, and the same', (name) => {
  const { stdout } = Bun.spawnSync(['bash', '-c', `printf '[%s]' ${shellWord(name)}`]);
  expect(stdout.toString()).toBe(`[${name}]`);
});

test('a plain name stays as it is', () => {
  expect(['web', 'openai/gpt-4.1'].map(shellWord)).toEqual(['web', 'openai/gpt-4.1']);
});
