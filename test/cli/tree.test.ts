import type { Command } from 'commander';
import { describe, expect, test } from 'bun:test';
import { buildProgram, runCli } from '../../src/cli/run.ts';

const unused = () => Promise.reject(new Error('not tested here'));
const handlers = { serve: unused, examine: unused, init: unused, restore: unused, verify: unused };

function quietIo() {
  const said = { out: '', err: '' };
  const io = {
    out: (text: string) => void (said.out += text),
    err: (text: string) => void (said.err += text),
    stdin: async () => '',
    isInteractive: false,
    ask: unused,
  };
  return { said, io };
}

function leaves(command: Command, path: readonly string[] = []): { readonly path: readonly string[]; readonly command: Command }[] {
  // A noun may also do something by itself, such as `usage`.
  const own = command.commands.length === 0 || path.join(' ') === 'usage' ? [{ path, command }] : [];
  return [...own, ...command.commands.flatMap((verb) => leaves(verb, [...path, verb.name()]))];
}

const program = buildProgram({
  io: quietIo().io,
  handlers,
  client: () => {
    throw new Error('no server here');
  },
});
const LEAVES = leaves(program).map(({ path, command }) => [path.join(' '), path, command] as const);

/** The server speaks in its log, and a script is for the shell. */
const WITHOUT_JSON: ReadonlySet<string> = new Set(['serve', 'completion']);
/** Verbs that take something away for good, or let more be spent. */
const DESTROYS = /(?:^| )(?:delete|remove|revoke|unset|prune|restore|rollback|refresh)$/;

test('there are as many commands as there seem to be', () => {
  expect(LEAVES.length).toBeGreaterThan(50);
});

describe.each(LEAVES)('%s', (name, path, command) => {
  test('has a description, examples of its own, and --json', async () => {
    const { said, io } = quietIo();
    expect(await runCli([...path, '--help'], handlers, { io })).toBe(0);
    expect(command.description()).toMatch(/^[a-z].*[^.]$/i);
    expect(said.out).toContain(`Examples:\n`);
    expect(said.out.slice(said.out.indexOf('Examples:'))).toContain(`panicly ${name}`);
    const flags = command.options.map(({ long }) => long);
    expect(flags.includes('--json') || flags.includes('--format')).toBe(!WITHOUT_JSON.has(name));
    if (DESTROYS.test(name)) expect(flags).toContain('--yes');
  });
});

describe('completion', () => {
  const script = async (shell: string) => {
    const { said, io } = quietIo();
    expect(await runCli(['completion', shell], handlers, { io })).toBe(0);
    return said.out;
  };

  test.each(['bash', 'zsh', 'fish'])('%s knows every command and flag', async (shell) => {
    const text = await script(shell);
    for (const [name, , command] of LEAVES) {
      expect(text).toContain(`'${name}'`);
      for (const { long } of command.options) expect(text).toContain(shell === 'fish' ? `-l ${long!.slice(2)} ` : long!);
    }
  });

  test('another shell is refused in one line', async () => {
    const { said, io } = quietIo();
    expect(await runCli(['completion', 'csh'], handlers, { io })).toBe(2);
    expect(said.err).toMatch(/^panicly: .*csh.*\n$/);
  });

  const inBash = (text: string, words: readonly string[]) =>
    `${text}\nCOMP_WORDS=(${listed(words)}) COMP_CWORD=${words.length - 1}\n_panicly\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
  // What zsh's own functions would offer, less what the last word rules out.
  const inZsh = (text: string, words: readonly string[]) => `
    compdef() {}
    _files() {}
    compadd() { shift; offer "$@" }
    _describe() { offer "\${(@)\${(P)4}%%:*}" }
    offer() { print -rl -- \${(M)@:#\${words[CURRENT]}*} }
    ${text}
    words=(${listed(words)}) CURRENT=${words.length}
    _panicly`;
  const inFish = (text: string, words: readonly string[]) => `${text}\ncomplete -C '${words.join(' ')}'`;
  const listed = (words: readonly string[]) => words.map((word) => `'${word}'`).join(' ');
  const shells = [
    ['bash', ['-c'], inBash],
    ['zsh', ['-f', '-c'], inZsh],
    ['fish', ['--no-config', '-c'], inFish],
  ] as const;

  const rows: readonly (readonly [words: readonly string[], completions: readonly string[]])[] = [
    [
      ['panicly', 'se'],
      ['sentry', 'serve'],
    ],
    [['panicly', 'keys', 'ro'], ['rotate']],
    [
      ['panicly', 'prices', 'r'],
      ['refresh', 'rollback'],
    ],
    [['panicly', 'keys', 'rotate', '--o'], ['--overlap']],
    [['panicly', 'usage', 'export', '--form'], ['--format']],
    [
      ['panicly', 'requests', 'list', '--decision', ''],
      ['allow', 'deny'],
    ],
    [['panicly', 'requests', 'list', '--project', 'web', '--decision', 'd'], ['deny']],
    [
      ['panicly', 'status', '--'],
      ['--help', '--json'],
    ],
    [['panicly', 'requests', 'list', '--key', 'key_1', '--decision', 'al'], ['allow']],
    [['panicly', 'completion', 'z'], ['zsh']],
  ];

  for (const [shell, flags, run] of shells) {
    const tested = test.skipIf(Bun.which(shell) === null); // because not every machine has them; CI installs them
    tested.each(rows)(`${shell}: %j gives %j`, async (words, completions) => {
      const { stdout, stderr } = Bun.spawnSync([shell, ...flags, run(await script(shell), words)]);
      expect(stderr.toString()).toBe('');
      const offered = stdout.toString().trim().split('\n');
      expect(offered.map((line) => line.split('\t')[0]!).toSorted()).toEqual([...completions]);
    });
  }
});
