import { describe, expect, test } from 'bun:test';
import { confirmText, planText } from '../../src/cli/apply-text.ts';
import { readConfigurationFile } from '../../src/cli/configuration-file.ts';
import type { Io } from '../../src/cli/output.ts';
import { CliProblem } from '../../src/cli/problem.ts';
import { lineOfPath, parseDocument } from '../../src/document-text.ts';
import { tomlText } from '../../src/cli/toml-write.ts';
import type { ConfigurationPlanJson } from '../../src/http/schemas/operator.ts';

describe('TOML that is written', () => {
  test.each([
    [{ a: 1, b: 'x', c: true, d: 0.2 }, 'a = 1\nb = "x"\nc = true\nd = 0.2\n'],
    [{ a: null }, 'a = "unlimited"\n'],
    [{ list: [], names: ['a', 'b'] }, 'list = []\nnames = ["a", "b"]\n'],
    [{ 'a b': { 'c.d': 1 } }, '["a b"]\n"c.d" = 1\n'],
    [{ p: [{ policy: {}, name: 'x' }, { name: 'y' }] }, '[[p]]\nname = "x"\n\n[p.policy]\n\n[[p]]\nname = "y"\n'],
    [{ p: [{ q: [{ n: 1 }] }] }, '[[p]]\n\n[[p.q]]\nn = 1\n'],
    [{ a: { b: { c: 1 } } }, '[a.b]\nc = 1\n'],
    [{ a: { b: { c: 1 }, d: 2 } }, '[a]\nd = 2\n\n[a.b]\nc = 1\n'],
    [{ a: 'x\n"\\\u007f\u0001é😀' }, 'a = "x\\n\\"\\\\\\u007f\\u0001é😀"\n'],
    [{ a: undefined, b: 1 }, 'b = 1\n'],
    [{ long: Array.from({ length: 30 }, (_, index) => `model-${index}`) }, expect.stringMatching(/^long = \[\n {2}"model-0",\n/)],
  ])('%j', (document, text) => {
    expect(tomlText(document)).toEqual(text);
    const read = Bun.TOML.parse(tomlText(document));
    expect(read).toEqual(JSON.parse(JSON.stringify(document, (_, value: unknown) => (value === null ? 'unlimited' : value))) as object);
  });
});

const TEXT = `[server]
port = 3000

[[projects]]
name = "web"
[projects.policy]
burst = { requests = 3,
  window_seconds = 60 }
[[projects.policy.budgets]]
limit_usd = 5

[[projects]]
name = "jobs"
models = ["a",
  "b"]
`;

describe('lines of a TOML text', () => {
  test.each([
    ['server.port', 2],
    ['projects.0', 4],
    ['projects', 4],
    ['projects.0.policy', 6],
    ['projects.0.policy.burst.requests', 7],
    ['projects.0.policy.budgets.0.limit_usd', 10],
    ['projects.0.policy.budgets.0.period', 9],
    ['projects.1.name', 13],
    ['projects.1.models.1', 15],
    ['projects.1.workspace', 12],
    ['nothing.like.it', null],
  ])('%s stands in line %p', (path, line) => {
    expect(lineOfPath(TEXT, path)).toBe(line);
  });

  test.each([
    ['a = 1\nb = = 2\n', 2],
    ['a = 1\na = 2\n', 2],
    ['a = 1\n[x y]\n', 2],
    ['a = "open\n', 1],
  ])('%j is none', (text, line) => {
    expect(() => parseDocument(text, 'x.toml')).toThrow(`x.toml:${line}: `);
  });
});

describe('a file', () => {
  const io = (text: string): Io => ({ out: () => {}, err: () => {}, stdin: async () => text, isInteractive: false, ask: async () => '' });

  test('is read as TOML or JSON; what a server reads is checked and kept away from the API', async () => {
    const toml = await readConfigurationFile(io(TEXT), '-');
    expect(Object.keys(toml.applied)).toEqual(['projects']);
    expect([toml.place('projects.0.policy.burst'), toml.place(null)]).toEqual(['standard input:7: ', 'standard input: ']);
    const asJson = await readConfigurationFile(io('{"log": {"level": "warn"}, "prices": []}'), '-');
    expect([asJson.applied, asJson.place('prices')]).toEqual([{ prices: [] }, 'standard input: ']);
  });

  test.each([
    ['[server]\nprot = 1\n', 'server.prot is not known. Did you mean "port"?'],
    ['[server]\ntrusted_proxies = ["10.0.0"]\n', '10.0.0'],
    ['[limits]\nbody_bytes = "x"\n', 'limits.body_bytes'],
    ['a = 1\nb = = 2\n', 'standard input:2: '],
    ['{"a": }', 'standard input: JSON'],
    ['[]', 'standard input'],
  ])('%j is refused', async (text, words) => {
    const problem: unknown = await readConfigurationFile(io(text), '-').catch((error: unknown) => error);
    expect([problem instanceof CliProblem, (problem as Error).message]).toEqual([true, expect.stringContaining(words)]);
  });
});

describe('a plan in words', () => {
  const plan: ConfigurationPlanJson = {
    applied: false,
    state: 'x',
    unchanged: 2,
    not_in_file: [
      { noun: 'project', name: 'default/old', removable: true },
      { noun: 'workspace', name: 'other', removable: false },
    ],
    changes: [
      {
        action: 'change',
        noun: 'project',
        name: 'default/web',
        fields: [
          { path: 'policy.burst.requests', before: 600, after: null, loosens: true },
          { path: 'policy.models.allow', after: 'gpt-*', loosens: false },
          { path: 'policy.network.block', before: '192.0.2.0/24', loosens: true },
        ],
        confirm: [],
        notes: ['KEY is not set.'],
      },
      { action: 'remove', noun: 'provider', name: 'default/web/\u001b[31mold', fields: [], confirm: ['remove the provider'], notes: [] },
    ],
  };

  test('names what changes, marks what lets more pass, and prints no control characters', () => {
    expect(planText(plan)).toBe(`~ project default/web
    policy.burst.requests  600 -> unlimited  LOOSENS
    policy.models.allow  + "gpt-*"
    policy.network.block  - "192.0.2.0/24"  LOOSENS
    note: KEY is not set.

- provider default/web/?[31mold

0 to create, 1 to change, 1 to remove, 2 unchanged. 2 lines loosen a limit.
Not in the file, and left as it is: --prune removes what can be removed.
    project default/old
    workspace other (cannot be removed)
`);
    expect(confirmText(plan)).toBe('remove the provider');
  });

  test('says when there is nothing to do', () => {
    const nothing = { ...plan, changes: [], not_in_file: [] };
    expect([planText(nothing), confirmText(nothing)]).toEqual(['Nothing to do: 2 unchanged.\n', null]);
  });
});
