import { Argument, type Command, type Option } from 'commander';
import { bashScript, fishScript, zshScript } from './completion-scripts.ts';
import { withExamples, type CliContext } from './context.ts';

/** A place in the tree of commands, and what can follow it. */
export interface Place {
  /** `keys create`; empty for the program itself. */
  readonly path: string;
  /** Commands below, and what an argument can be where that is a closed list. */
  readonly verbs: readonly Word[];
  readonly flags: readonly Flag[];
}

/** A word with what it means. */
export interface Word {
  readonly name: string;
  readonly meaning: string;
}

/** A flag: `--name`. */
export interface Flag extends Word {
  readonly takesValue: boolean;
  /** The values that it takes, where they are a closed list. */
  readonly values: readonly string[];
}

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;
type Shell = keyof typeof SCRIPTS;

/** `completion`: a script for bash, zsh or fish, made from the commands that there are. */
export function addCompletionCommand(program: Command, { io }: Pick<CliContext, 'io'>): void {
  withExamples(
    program
      .command('completion')
      .description('print the completion script for a shell')
      .addArgument(new Argument('[shell]', 'which').choices(Object.keys(SCRIPTS)).default('bash'))
      .action((shell: Shell) => io.out(SCRIPTS[shell](placesOf(program, '')))),
    'source <(panicly completion bash)',
    'source <(panicly completion zsh)',
    'panicly completion fish | source',
  );
}

/** Every place of the tree, the program first. */
function placesOf(command: Command, path: string): Place[] {
  const verbs = command.commands.map((verb) => ({ name: verb.name(), meaning: verb.description() }));
  const choices = command.registeredArguments.flatMap(({ description, argChoices }) =>
    (argChoices ?? []).map((name) => ({ name, meaning: description })),
  );
  const flags = [...command.options.flatMap(flagOf), { name: '--help', meaning: 'show help', takesValue: false, values: [] }];
  const below = command.commands.flatMap((verb) => placesOf(verb, path === '' ? verb.name() : `${path} ${verb.name()}`));
  return [{ path, verbs: [...verbs, ...choices], flags }, ...below];
}

function flagOf({ long, description, required, optional, argChoices }: Option): Flag[] {
  if (long === undefined || long === null) return [];
  return [{ name: long, meaning: description, takesValue: required || optional, values: argChoices ?? [] }];
}
