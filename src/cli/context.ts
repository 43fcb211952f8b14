import type { Command } from 'commander';
import type { Client } from './client.ts';
import type { CliHandlers } from './handlers.ts';
import { json, type Io } from './output.ts';
import { CliProblem } from './problem.ts';

/** What every command has at hand. */
export interface CliContext {
  readonly io: Io;
  readonly handlers: CliHandlers;
  /** Made when first needed: serve and init need no server. */
  readonly client: () => Client;
}

/** Options that every command has. */
export interface CommonOptions {
  readonly json?: true;
}

/** Adds `--json`, and examples under the help text. */
export function withJson(command: Command, ...examples: readonly string[]): Command {
  return withExamples(command.option('--json', 'print JSON'), ...examples);
}

/** Adds examples under the help text. */
export function withExamples(command: Command, ...examples: readonly string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${examples.map((example) => `  ${example}\n`).join('')}`);
}

/** Adds lines under the examples: what a flag cannot say. */
export function withNotes(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText('after', `${lines.join('\n')}\n`);
}

/** Prints `value` as JSON where `--json` was given, else as `text` says. */
export function show<Value>(io: Io, options: CommonOptions, value: Value, text: (value: Value) => string): void {
  io.out(options.json ? json(value) : text(value));
}

/** Options of what destroys something. */
export interface DestroyingOptions extends CommonOptions {
  readonly yes?: true;
}

/** Adds `--yes`, for what destroys something. */
export function withYes(command: Command): Command {
  return command.option('--yes', 'do it without asking');
}

/** Asks whether to go on. Without a person to ask, only `--yes` goes on. `what` begins a sentence: `delete project web`. */
export async function confirm(io: Io, options: DestroyingOptions, what: string): Promise<void> {
  if (options.yes) return;
  if (!io.isInteractive) throw new CliProblem(`this would ${what}: repeat it with --yes`);
  const answer = await io.ask(`This will ${what}. Go on? [y/N] `);
  if (!/^y(?:es)?$/i.test(answer.trim())) throw new CliProblem('nothing was done', 1);
}
