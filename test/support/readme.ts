import { expect } from 'bun:test';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { BINARY, run, temporaryDirectory, type Finished } from './binary.ts';
import { projectFile } from './sources.ts';

/** The README as it stands: tests run what it tells people to type, so that the two cannot drift apart. */
export const README = projectFile('README.md');

/** A fenced block. */
export interface Block {
  /** The heading of the second level that it stands under. */
  readonly section: string;
  readonly language: string;
  readonly text: string;
}

/** A command that stands somewhere in the README. */
export interface Said {
  readonly section: string;
  /** Without its comment: `panicly keys list --unused-for 30d`. */
  readonly line: string;
}

/** Text and headings of each section of the second level. */
export const SECTIONS: readonly { readonly title: string; readonly text: string }[] = README.split(/^(?=## )/m)
  .slice(1)
  .map((text) => ({ title: /^## (.*)/.exec(text)![1]!, text }));

/** All fenced blocks, in their order. */
export const BLOCKS: readonly Block[] = SECTIONS.flatMap(({ title, text }) =>
  [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)].map(([, language, block]) => ({ section: title, language: language!, text: block! })),
);

/** The lines of its shell blocks that call the program. */
export const COMMANDS: readonly Said[] = BLOCKS.filter(({ language }) => language === 'sh').flatMap(({ section, text }) =>
  text
    .split('\n')
    .map((line) => line.replace(/\s+#.*$/, ''))
    .filter((line) => line.startsWith('panicly '))
    .map((line) => ({ section, line })),
);

/** The commands between two backticks in its sentences. */
export const INLINE: readonly Said[] = SECTIONS.flatMap(({ title, text }) =>
  [...text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`\n]*\bpanicly [a-z][^`\n]*)`/g)].map(([, line]) => ({
    section: title,
    line: line!,
  })),
);

/** The block of a section in a language; the first, unless `index` says another. Throws when there is none. */
export function block(section: string, language: string, index = 0): string {
  const found = BLOCKS.filter((one) => one.section === section && one.language === language)[index];
  if (found === undefined) throw new Error(`the README has no ${language} block ${index} under "${section}"`);
  return found.text;
}

/** A command that stands between backticks under a section. Throws when it does not: then the test has to follow. */
export function inline(section: string, line: string): string {
  if (!INLINE.some((one) => one.section === section && one.line === line)) throw new Error(`the README no longer says ${line}`);
  return line;
}

/** A row of the table of settings; an empty string where it has no flag, variable or field. */
export interface Setting {
  readonly flag: string;
  readonly variable: string;
  readonly field: string;
  /** As it is written: `` `30` ``, `none`, `32 MiB`. */
  readonly standard: string;
}

/** The table of settings. */
export function settings(): Setting[] {
  const { text } = SECTIONS.find(({ title }) => title === 'Settings')!;
  const rows = text.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| flag') && !line.startsWith('| ---'));
  return rows.map((row) => {
    const [flag = '', variable = '', field = '', standard = ''] = row
      .slice(2)
      .split('|')
      .map((cell) => cell.trim());
    const bare = (cell: string) => cell.replaceAll('`', '').replace(/=.*/, '');
    return { flag: bare(flag), variable: bare(variable), field: bare(field), standard };
  });
}

/** What to do with one line of the README. */
export interface Step {
  /** As it stands, without the comment. */
  readonly line: string;
  /** What the line only hints at (`key_...`), and what to put there. Called when the step is reached. */
  readonly fill?: () => Readonly<Record<string, string>>;
  /** 0 when absent. */
  readonly code?: number;
  /** What the standard output has to show. */
  readonly out?: RegExp;
  /** What the standard error has to say; nothing when absent. */
  readonly err?: RegExp;
  /** Looks at what has become of it. */
  readonly after?: (finished: Finished) => Promise<void> | void;
}

/** A directory in which a person types what the README says, with `panicly` on the PATH. */
export class Reader {
  readonly cwd: string;
  readonly #env: Readonly<Record<string, string>>;

  constructor(env: Readonly<Record<string, string>>, cwd = temporaryDirectory()) {
    this.cwd = cwd;
    const bin = temporaryDirectory();
    symlinkSync(BINARY, join(bin, 'panicly'));
    this.#env = { ...env, PATH: `${bin}:${process.env['PATH'] ?? '/usr/bin:/bin'}` };
  }

  /** A path in the directory. */
  path(name: string): string {
    return join(this.cwd, name);
  }

  /** Types one line into a shell. */
  async type(line: string, shell = 'sh'): Promise<Finished> {
    return await run([shell, '-c', line], { cwd: this.cwd, env: this.#env });
  }

  /** Does one step, and looks at its outcome. */
  async take(step: Step): Promise<void> {
    const filled = Object.entries(step.fill?.() ?? {}).reduce((line, [hint, value]) => line.replace(hint, () => value), step.line);
    const finished = await this.type(filled);
    const { code, stdout, stderr } = finished;
    const wanted = { line: step.line, code: step.code ?? 0, stderr: expect.stringMatching(step.err ?? /^$/) };
    expect({ line: step.line, code, stderr }).toEqual(wanted);
    if (step.out) expect(stdout).toMatch(step.out);
    await step.after?.(finished);
  }

  /** Does all that a section says, in its order. A line of the README without a step is a difference. */
  async follow(section: string, steps: readonly Step[]): Promise<void> {
    const said = COMMANDS.filter((command) => command.section === section).map(({ line }) => line);
    expect(steps.map(({ line }) => line)).toEqual(said);
    for (const step of steps) await this.take(step);
  }
}
