import type { Command } from 'commander';
import { withExamples, type CliContext } from './context.ts';

/** `completion`: a script for bash, made from the commands that there are. */
export function addCompletionCommand(program: Command, { io }: CliContext): void {
  withExamples(
    program
      .command('completion')
      .description('print the completion script for bash')
      .action(() => io.out(bashScript(program))),
    'source <(panicly completion)',
  );
}

function bashScript(program: Command): string {
  const cases = program.commands.flatMap((noun) => [
    ...noun.commands.map((verb) => caseOf(`'${noun.name()} ${verb.name()}'`, flagsOf(verb))),
    caseOf(`'${noun.name()}'*`, [...noun.commands.map((verb) => verb.name()), ...flagsOf(noun)]),
  ]);
  return `_panicly() {
  local current=\${COMP_WORDS[COMP_CWORD]} words
  local first=\${COMP_WORDS[1]} second=\${COMP_WORDS[2]}
  if (( COMP_CWORD == 1 )); then
    words='${program.commands.map((noun) => noun.name()).join(' ')} --help --version'
  else
    (( COMP_CWORD == 2 )) && second=
    case "$first\${second:+ $second}" in
${cases.join('')}    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _panicly panicly
`;
}

function caseOf(pattern: string, following: readonly string[]): string {
  return `      ${pattern}) words='${[...following, '--help'].join(' ')}' ;;\n`;
}

function flagsOf(command: Command): string[] {
  return command.options.flatMap(({ long }) => (long === undefined || long === null ? [] : [long]));
}
