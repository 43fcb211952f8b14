import type { Command } from 'commander';
import type { Client } from './client.ts';
import type { CliHandlers } from './handlers.ts';
import { json, type Io } from './output.ts';

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

/** Prints `value` as JSON where `--json` was given, else as `text` says. */
export function show<Value>(io: Io, options: CommonOptions, value: Value, text: (value: Value) => string): void {
  io.out(options.json ? json(value) : text(value));
}
